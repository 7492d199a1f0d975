/** Arithmetic of a classifier at a threshold, from exact counts. */

/** How the rows fall at one threshold. */
export interface ICounts {
  tp: number;
  fp: number;
  tn: number;
  fn: number;
}

/** What a wrong answer costs, in any unit. */
export interface ICosts {
  fp: number;
  fn: number;
}

/** Numbers at a threshold; null where the question has no answer (no row was predicted positive, for instance). */
export interface IMeasures {
  precision: number | null;
  recall: number | null;
  f1: number | null;
  accuracy: number | null;
  specificity: number | null;
  fpr: number | null;
  cost: number;
}

/** Counts of one class against the rest at every threshold, thresholds rising. */
export interface IThresholdTable {
  label: string;
  thresholds: number[];
  counts: ICounts[];
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** Everything that the panel beside the curves shows. */
export function measuresOf(counts: ICounts, costs: ICosts): IMeasures {
  const { tp, fp, tn, fn } = counts;
  return {
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    f1: ratio(2 * tp, 2 * tp + fp + fn),
    accuracy: ratio(tp + tn, tp + fp + tn + fn),
    specificity: ratio(tn, tn + fp),
    fpr: ratio(fp, fp + tn),
    cost: fp * costs.fp + fn * costs.fn
  };
}

/** The row of a table whose threshold is nearest; the lower one of two equally near. */
export function nearestThreshold(thresholds: readonly number[], wanted: number): number {
  let best = 0;
  thresholds.forEach((threshold, index) => {
    if (Math.abs(threshold - wanted) < Math.abs(thresholds[best]! - wanted)) {
      best = index;
    }
  });
  return best;
}

export type Target = 'f1' | 'cost' | 'youden';

/** How good a row is for a target; higher is better. */
function scoreOf(counts: ICounts, costs: ICosts, target: Target): number {
  const measures = measuresOf(counts, costs);
  if (target === 'cost') {
    return -measures.cost;
  }
  if (target === 'f1') {
    return measures.f1 ?? -1;
  }
  return (measures.recall ?? 0) + (measures.specificity ?? 0) - 1;
}

/** The row of a table that serves a target best; the middle one of a plateau, so that a little drift does no harm. */
export function bestThreshold(table: IThresholdTable, costs: ICosts, target: Target): number {
  const scores = table.counts.map(counts => scoreOf(counts, costs, target));
  const best = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const first = scores.indexOf(best);
  let last = first;
  while (last + 1 < scores.length && scores[last + 1] === best) {
    last += 1;
  }
  return Math.floor((first + last) / 2);
}

/** The two-by-two matrix of a class against the rest: rows are true, columns predicted, the class last. */
export function matrixOf(counts: ICounts): number[][] {
  return [
    [counts.tn, counts.fp],
    [counts.fn, counts.tp]
  ];
}

export type Normalisation = 'count' | 'row' | 'column' | 'total';

/** A matrix in shares of its row (recall), its column (precision) or of everything; null where nothing is divided by. */
export function normalise(matrix: readonly (readonly number[])[], by: Normalisation): (number | null)[][] {
  if (by === 'count') {
    return matrix.map(row => [...row]);
  }
  const rows = matrix.map(row => row.reduce((sum, cell) => sum + cell, 0));
  const columns = (matrix[0] ?? []).map((_, x) => matrix.reduce((sum, row) => sum + (row[x] ?? 0), 0));
  const total = rows.reduce((sum, row) => sum + row, 0);
  return matrix.map((row, y) =>
    row.map((cell, x) => ratio(cell, by === 'row' ? rows[y]! : by === 'column' ? (columns[x] ?? 0) : total))
  );
}
