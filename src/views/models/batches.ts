/** Numbers of rows that a version is measured with. */

/** Batch sizes as they were typed; null when one is none. */
export function readBatches(text: string): number[] | null {
  const sizes = text.split(/[\s,]+/).filter(part => part !== '');
  const good = sizes.every(size => /^[1-9]\d{0,5}$/.test(size) && Number(size) <= 100_000);
  return good && sizes.length > 0 && sizes.length <= 12 ? sizes.map(Number) : null;
}
