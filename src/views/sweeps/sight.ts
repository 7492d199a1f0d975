import { type RefObject, useEffect, useRef, useState } from 'react';

/** Whether an element is in the visible part of the page, or near it, right now. */
export function useInSight<E extends Element>(): [RefObject<E>, boolean] {
  const ref = useRef<E>(null);
  const [inSight, setInSight] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    const element = ref.current;
    if (!element || typeof IntersectionObserver === 'undefined') {
      return undefined;
    }
    const observer = new IntersectionObserver(
      entries => setInSight(entries.at(-1)?.isIntersecting ?? false),
      { rootMargin: '120px' }
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, inSight];
}
