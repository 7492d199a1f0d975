/** Hooks that tie views to models. */
import type { ISignal } from '@lumino/signaling';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { useCallback, useEffect, useReducer } from 'react';
import type { Preferences } from '../../models/preferences';
import type { Resource } from '../../models/resource';

/** Draws again whenever the signal emits. */
export function useSignal(signal: ISignal<unknown, unknown> | undefined): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const slot = (): void => redraw();
    signal?.connect(slot);
    return () => {
      signal?.disconnect(slot);
    };
  }, [signal]);
}

/**
 * Keeps a resource fresh while the view is mounted, and draws again whenever it changes.
 *
 * `const run = useResource(studio.run(id))`, then `run.value`, `run.error`, `run.loading`. Null for nothing yet.
 */
export function useResource<R extends Resource<unknown> | null>(resource: R): R {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!resource) {
      return undefined;
    }
    const slot = (): void => redraw();
    resource.stateChanged.connect(slot);
    const hold = resource.retain();
    redraw();
    return () => {
      resource.stateChanged.disconnect(slot);
      hold.dispose();
    };
  }, [resource]);
  return resource;
}

/** The present time in milliseconds, drawing again every `everyMs`; null stops the clock. */
export function useNow(everyMs: number | null): number {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (everyMs === null) {
      return undefined;
    }
    const timer = window.setInterval(() => {
      if (!document.hidden) {
        tick();
      }
    }, everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return Date.now();
}

/** A preference and the way to change it; every view that shows it follows. */
export function usePreference<T extends ReadonlyPartialJSONValue>(
  preferences: Preferences,
  name: string,
  fallback: T
): [T, (value: T) => void] {
  useSignal(preferences.changed);
  const set = useCallback((value: T) => preferences.set(name, value), [preferences, name]);
  return [preferences.get(name, fallback), set];
}
