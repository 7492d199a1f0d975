/** Arithmetic on series: gaps, smoothing, time axes. */

/** A metric's value as it travels: JSON has no NaN, so these are texts. */
export type WireValue = number | 'NaN' | 'Infinity' | '-Infinity';

export interface IFiniteValues {
  values: (number | null)[];
  notFinite: number;
}

/** Turns values from the wire into numbers with gaps, and counts the gaps. */
export function finiteValues(values: readonly (WireValue | null)[]): IFiniteValues {
  let notFinite = 0;
  const numbers = values.map(value => {
    if (typeof value === 'number' && Number.isFinite(value)) {
      return value;
    }
    notFinite += 1;
    return null;
  });
  return { values: numbers, notFinite };
}

/** Leaves out what a logarithmic axis cannot show, and counts it. */
export function positiveValues(values: readonly (number | null)[]): {
  values: (number | null)[];
  left: number;
} {
  let left = 0;
  const numbers = values.map(value => {
    if (value !== null && value <= 0) {
      left += 1;
      return null;
    }
    return value;
  });
  return { values: numbers, left };
}

/**
 * Smooths with an exponential moving average, corrected for its start so that the first values are not drawn to zero
 * (Kingma and Ba, "Adam", 2015, section 3).
 *
 * Args:
 *   values: the points, null for a gap; a gap stays one and does not move the average.
 *   weight: 0 (no smoothing) to below 1; the share that the past keeps at each point.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) {
    return [...values];
  }
  let mean = 0;
  let kept = 1;
  return values.map(value => {
    if (value === null) {
      return null;
    }
    mean = weight * mean + (1 - weight) * value;
    kept *= weight;
    return mean / (1 - kept);
  });
}

export interface ITimeScale {
  divisor: number;
  unit: string;
}

/** The unit in which a span of time reads best. */
export function timeScale(spanS: number): ITimeScale {
  if (spanS >= 2 * 86400) {
    return { divisor: 86400, unit: 'days' };
  }
  if (spanS >= 2 * 3600) {
    return { divisor: 3600, unit: 'h' };
  }
  return spanS >= 180 ? { divisor: 60, unit: 'min' } : { divisor: 1, unit: 's' };
}

/** Smallest and largest value that is not a gap; null when all are gaps. */
export function extent(values: readonly (number | null)[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value !== null) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : null;
}

/** The marker sizes that make points without a neighbour visible: a line through one point draws nothing. */
export function lonePointSizes(values: readonly (number | null)[], size: number): number[] | null {
  let any = false;
  const sizes = values.map((value, index) => {
    const alone =
      value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
    any ||= alone;
    return alone ? size : 0;
  });
  return any ? sizes : null;
}
