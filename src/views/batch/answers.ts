/** The files that a batch job leaves. */

/** What the job wrote: its answers, else its summary. */
export function answersAmong(paths: readonly string[]): string | undefined {
  return (
    paths.find(path => path !== 'summary.json' && path !== 'errors.csv') ??
    paths.find(path => path === 'summary.json')
  );
}
