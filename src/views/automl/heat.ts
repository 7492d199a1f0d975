/** Many models as a map: where each part of the table stands. */
import { type AutoMLReport, type Partition, toNumber } from '../../api/types';

export interface HeatMap {
  rows: string[];
  /** Empty labels when the parts are told apart by one column only. */
  columns: string[];
  at: ReadonlyMap<string, Partition>;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function order(values: Iterable<string>): string[] {
  return [...new Set(values)].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

export function cellKey(row: string, column: string): string {
  return JSON.stringify([row, column]);
}

/** The name of a part: `store 3, week B`. */
export function partName(part: Partition): string {
  return Object.entries(part.key)
    .map(([column, value]) => `${column} ${text(value)}`)
    .join(', ');
}

/** The first column goes across when there are two or more; one column is a list. */
export function heatOf(partitions: readonly Partition[]): HeatMap {
  const place = (part: Partition): [row: string, column: string] => {
    const values = Object.values(part.key).map(text);
    return [values[0] ?? '', values.slice(1).join(', ')];
  };
  return {
    rows: order(partitions.map(part => place(part)[0])),
    columns: order(partitions.map(part => place(part)[1])),
    at: new Map(partitions.map(part => [cellKey(...place(part)), part]))
  };
}

/** From the worst score (0) to the best (1); null without a score. */
export function goodness(report: AutoMLReport): (part: Partition) => number | null {
  const scores = report.partitions.map(part => toNumber(part.score)).filter(Number.isFinite);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  return part => {
    const score = toNumber(part.score);
    if (!Number.isFinite(score)) {
      return null;
    }
    const share = high > low ? (score - low) / (high - low) : 1;
    return report.goal === 'minimize' ? 1 - share : share;
  };
}
