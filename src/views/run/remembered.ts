import { useState } from 'react';

/** A choice that the browser remembers, so that every run is looked at in the same way. */
export function useRemembered<T>(
  key: string,
  initial: T,
  accept: (value: unknown) => T | null
): [T, (value: T) => void] {
  const name = `jupyter_mlstudio:${key}`;
  const [value, setValue] = useState<T>(() => {
    try {
      return accept(JSON.parse(window.localStorage.getItem(name) ?? 'null')) ?? initial;
    } catch {
      return initial;
    }
  });
  const keep = (next: T): void => {
    setValue(next);
    try {
      window.localStorage.setItem(name, JSON.stringify(next));
    } catch {
      // A full or forbidden storage forgets the choice, and nothing else.
    }
  };
  return [value, keep];
}
