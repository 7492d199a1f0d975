/** The trial under the pointer, which every plot and the table of a sweep light up. */
import { createContext, useContext, useSyncExternalStore } from 'react';

export class Hovered {
  get trial(): number | null {
    return this._trial;
  }

  set(trial: number | null): void {
    if (trial !== this._trial) {
      this._trial = trial;
      this.listeners.forEach(listener => listener());
    }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private _trial: number | null = null;
  private readonly listeners = new Set<() => void>();
}

export const HoveredContext = createContext(new Hovered());

export function useHovered(): [trial: number | null, set: (trial: number | null) => void] {
  const hovered = useContext(HoveredContext);
  const trial = useSyncExternalStore(hovered.subscribe, () => hovered.trial);
  return [trial, one => hovered.set(one)];
}
