/** Long tables: which rows have to be drawn. */
import { useCallback, useRef, useState } from 'react';

/** Rows drawn above and below those in sight. */
const MARGIN = 12;

/** Which rows of a scrolling box are in sight, with a margin; follows scrolling and resizing. */
export function useRowWindow(
  count: number,
  rowHeightPx: number
): [box: (node: HTMLDivElement | null) => void, first: number, last: number] {
  const [range, setRange] = useState({ top: 0, height: 600 });
  const clean = useRef<() => void>(() => {});
  const box = useCallback((node: HTMLDivElement | null): void => {
    clean.current();
    if (!node) {
      return;
    }
    const measure = (): void => setRange({ top: node.scrollTop, height: node.clientHeight || 600 });
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    node.addEventListener('scroll', measure, { passive: true });
    measure();
    clean.current = () => {
      observer.disconnect();
      node.removeEventListener('scroll', measure);
    };
  }, []);
  const first = Math.max(0, Math.floor(range.top / rowHeightPx) - MARGIN);
  const last = Math.min(count, Math.ceil((range.top + range.height) / rowHeightPx) + MARGIN);
  return [box, first, last];
}
