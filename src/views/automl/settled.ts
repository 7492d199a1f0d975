/** What is typed, once it has been left alone for a moment. */
import { useEffect, useState } from 'react';

/** Not every letter that is typed asks the server anew. */
const SETTLE_MS = 250;

export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return settled;
}
