/** The arithmetic behind a sweep's plots. Nothing here knows of trials or of drawing. */
import type { SweepGoal } from '../../api/types';

/** The best value up to each place; null until there is one. */
export function bestSoFar(values: readonly (number | null)[], goal: SweepGoal): (number | null)[] {
  let best: number | null = null;
  return values.map(value => {
    if (value !== null && (best === null || isBetter(value, best, goal))) {
      best = value;
    }
    return best;
  });
}

export function isBetter(value: number, than: number, goal: SweepGoal): boolean {
  return goal === 'maximize' ? value > than : value < than;
}

/** The share of values that are at most x, as steps: each distinct value with the share that it completes. */
export function edf(values: readonly number[]): { x: number[]; y: number[] } {
  const sorted = [...values].sort((a, b) => a - b);
  const x: number[] = [];
  const y: number[] = [];
  sorted.forEach((value, index) => {
    if (value !== sorted[index + 1]) {
      x.push(value);
      y.push((index + 1) / sorted.length);
    }
  });
  return { x, y };
}

/** Points as costs: each objective is made as small as possible. */
export function asCosts(points: readonly (readonly number[])[], goals: readonly SweepGoal[]): number[][] {
  return points.map(point => point.map((value, k) => (goals[k] === 'maximize' ? -value : value)));
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, k) => value <= b[k]!) && a.some((value, k) => value < b[k]!);
}

/** Places of the costs that no other beats in every objective; equal ones stay together. */
export function paretoFront(costs: readonly (readonly number[])[]): number[] {
  // In this order, whatever beats a point comes before it.
  const order = costs
    .map((_, index) => index)
    .sort((a, b) => {
      const k = costs[a]!.findIndex((value, at) => value !== costs[b]![at]);
      return k < 0 ? a - b : costs[a]![k]! - costs[b]![k]!;
    });
  const front: number[] = [];
  for (const index of order) {
    if (!front.some(one => dominates(costs[one]!, costs[index]!))) {
      front.push(index);
    }
  }
  return front.sort((a, b) => a - b);
}

/** The volume between costs and a point that is worse than all of them, by slices along the last objective. */
export function hypervolume(costs: readonly (readonly number[])[], reference: readonly number[]): number {
  const inside = costs.filter(point => point.every((value, k) => value < reference[k]!));
  const last = reference.length - 1;
  if (inside.length === 0) {
    return 0;
  }
  if (last === 0) {
    return reference[0]! - Math.min(...inside.map(point => point[0]!));
  }
  const sorted = [...inside].sort((a, b) => a[last]! - b[last]!);
  let volume = 0;
  sorted.forEach((point, index) => {
    const depth = (sorted[index + 1]?.[last] ?? reference[last]!) - point[last]!;
    if (depth > 0) {
      const slice = sorted.slice(0, index + 1).map(one => one.slice(0, last));
      volume += depth * hypervolume(last > 1 ? kept(slice) : slice, reference.slice(0, last));
    }
  });
  return volume;
}

function kept(costs: number[][]): number[][] {
  return paretoFront(costs).map(index => costs[index]!);
}

/** The hypervolume after each point, where the front grows; the reference is the worst seen in each objective. */
export function hypervolumeHistory(costs: readonly (readonly number[])[]): {
  reference: number[];
  history: number[];
} {
  const width = costs[0]?.length ?? 0;
  const reference = Array.from({ length: width }, (_, k) =>
    costs.reduce((m, c) => Math.max(m, c[k]!), -Infinity)
  );
  let front: (readonly number[])[] = [];
  let volume = 0;
  const history = costs.map(point => {
    if (!front.some(one => dominates(one, point) || one.every((value, k) => value === point[k]))) {
      front = [...front.filter(one => !dominates(point, one)), point];
      volume = hypervolume(front, reference);
    }
    return volume;
  });
  return { reference, history };
}

/** Each value's rank from 0 (smallest) to 1 (largest); equal values share the middle of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length).fill(0.5);
  const last = values.length - 1;
  for (let start = 0; start <= last && last > 0;) {
    let end = start;
    while (end < last && values[order[end + 1]!] === values[order[start]!]) {
      end += 1;
    }
    for (let at = start; at <= end; at++) {
      result[order[at]!] = (start + end) / 2 / last;
    }
    start = end + 1;
  }
  return result;
}

/** Points in the unit square with a height each. */
export interface Cloud {
  x: readonly number[];
  y: readonly number[];
  z: readonly number[];
}

const NEIGHBOURS = 8;

/** Below this squared distance all points count alike, so that single trials make no peaks. */
const SMOOTH = 1e-3;

/**
 * Heights over a grid of cells in the unit square, from the nearest points weighted by the inverse square of their
 * distance.
 */
export function gridded(cloud: Cloud, columns: readonly number[], rows: readonly number[]): number[][] {
  const count = Math.min(NEIGHBOURS, cloud.x.length);
  const near = new Float64Array(count);
  const who = new Int32Array(count);
  return rows.map(v =>
    columns.map(u => {
      near.fill(Infinity);
      for (let i = 0; i < cloud.x.length; i++) {
        const distance = (cloud.x[i]! - u) ** 2 + (cloud.y[i]! - v) ** 2;
        if (distance >= near[count - 1]!) {
          continue;
        }
        let at = count - 1;
        for (; at > 0 && near[at - 1]! > distance; at--) {
          near[at] = near[at - 1]!;
          who[at] = who[at - 1]!;
        }
        near[at] = distance;
        who[at] = i;
      }
      let weights = 0;
      let sum = 0;
      for (let at = 0; at < count; at++) {
        const weight = 1 / (near[at]! + SMOOTH);
        weights += weight;
        sum += weight * cloud.z[who[at]!]!;
      }
      return sum / weights;
    })
  );
}

/** At most `count` of the places 0 … length - 1, evenly, with both ends. */
export function thinned(length: number, count: number): number[] {
  if (length <= count) {
    return Array.from({ length }, (_, index) => index);
  }
  return Array.from({ length: count }, (_, index) => Math.round((index * (length - 1)) / (count - 1)));
}
