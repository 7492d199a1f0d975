import { type RefObject, useEffect, useRef, useState } from 'react';

/** What is still to be drawn: one thing at a time, so that the page answers in between. */
const waiting: (() => void)[] = [];
let timer = 0;

function soon(draw: () => void): void {
  waiting.push(draw);
  timer ||= window.setTimeout(next);
}

function next(): void {
  waiting.shift()?.();
  timer = waiting.length > 0 ? window.setTimeout(next, 20) : 0;
}

/** Whether an element is in the visible part of the page, or near it, right now. */
export function useInSight<E extends Element>(): [RefObject<E>, boolean] {
  const ref = useRef<E>(null);
  const [inSight, setInSight] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    const element = ref.current;
    if (!element || typeof IntersectionObserver === 'undefined') {
      return undefined;
    }
    let there = true;
    const observer = new IntersectionObserver(
      entries => {
        const seen = entries.at(-1)?.isIntersecting ?? false;
        soon(() => there && setInSight(seen));
      },
      { rootMargin: '120px' }
    );
    observer.observe(element);
    return () => {
      there = false;
      observer.disconnect();
    };
  }, []);
  return [ref, inSight];
}
