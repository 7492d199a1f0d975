import { useEffect, useRef, useState } from 'react';

/** At most four redraws a second while something is live. */
export const LIVE_REDRAW_MS = 250;

/** The value, passed on at once when it has been quiet, else at most once in ``intervalMs``; the last one always arrives. */
export function useThrottled<T>(value: T, intervalMs: number): T {
  const [shown, setShown] = useState(value);
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + intervalMs - Date.now());
    const timer = window.setTimeout(() => {
      last.current = Date.now();
      setShown(value);
    }, wait);
    return () => window.clearTimeout(timer);
  }, [value, intervalMs]);
  return shown;
}
