/** Turns a metric's points into series of a chart. */
import { colorOf, dashOf } from '../../../charts/palette';
import { extent, finiteValues, positiveValues, smooth, timeScale } from '../../../charts/series';
import type { ITimeScale } from '../../../charts/series';
import type { IAxis, ISeries } from '../../../charts/spec';
import type { SeriesPart } from '../../../api/client';
import type { MetricSeries } from '../../../api/types';

/** How the user wants to see curves. */
export interface ICurveOptions {
  x: 'step' | 'time';
  log: boolean;
  /** Weight of the exponential moving average, 0 to below 1. */
  smoothing: number;
}

export const CURVE_DEFAULTS: ICurveOptions = { x: 'step', log: false, smoothing: 0 };

/** One metric of one run, and how it is told apart. */
export interface ICurve {
  name: string;
  points: MetricSeries;
  /** When the run began, in seconds since 1970; the time axis counts from there. */
  startS: number | null;
  index: number;
}

function startOf(curve: ICurve): number {
  const first = curve.points.times[0] ?? 0;
  return curve.startS === null ? first : Math.min(curve.startS, first);
}

function scaleOf(curves: readonly ICurve[]): ITimeScale {
  const spans = curves.map(curve => (curve.points.times.at(-1) ?? 0) - startOf(curve));
  return timeScale(Math.max(0, ...spans));
}

/** What a zoom of a chart shows, in the words of the server; null when it shows the whole width. */
export function partOf(
  curves: readonly ICurve[],
  options: ICurveOptions,
  [low, high]: readonly [number, number]
): SeriesPart | null {
  const first = curves[0];
  if (!first || !Number.isFinite(low) || !Number.isFinite(high)) {
    return null;
  }
  if (options.x === 'step') {
    const within = (step: number): number =>
      Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, step));
    return { from_step: within(Math.floor(low)), to_step: within(Math.ceil(high)) };
  }
  // Curves of one run count from its start; were it unknown, each would count from its own first point.
  const { divisor } = scaleOf(curves);
  const starts = curves.map(startOf);
  return {
    from_time: Math.min(...starts) + low * divisor,
    to_time: Math.max(...starts) + high * divisor
  };
}

/** The axes that fit all curves of a chart. */
export function axesOf(
  curves: readonly ICurve[],
  options: ICurveOptions,
  title: string
): { x: IAxis; y: IAxis } {
  const x =
    options.x === 'step' ? { title: 'step' } : { title: 'time since start', unit: scaleOf(curves).unit };
  return { x, y: { title, log: options.log } };
}

/** The series of a chart: with smoothing, each curve's raw values stay as a faint line under the smooth one. */
export function seriesOf(curves: readonly ICurve[], options: ICurveOptions): ISeries[] {
  const { divisor } = scaleOf(curves);
  return curves.flatMap(curve => {
    const start = startOf(curve);
    const x =
      options.x === 'step'
        ? curve.points.steps.map(Number)
        : curve.points.times.map(time => (time - start) / divisor);
    const finite = finiteValues(curve.points.values);
    const raw = options.log ? positiveValues(finite.values).values : finite.values;
    const base = { x, color: colorOf(curve.index), dash: dashOf(curve.index) };
    const main: ISeries = {
      ...base,
      name: curve.name,
      y: raw,
      notFinite: Math.max(finite.notFinite, curve.points.non_finite)
    };
    if (options.smoothing <= 0) {
      return [main];
    }
    const smoothed = smooth(finite.values, options.smoothing);
    const y = options.log ? positiveValues(smoothed).values : smoothed;
    return [
      { ...base, name: `${curve.name} (raw)`, y: raw, faint: true },
      { ...main, y }
    ];
  });
}

/** What a reader must know about the points that are drawn. */
export function notesOf(curves: readonly ICurve[], options: ICurveOptions): string {
  const notes: string[] = [];
  const thinned = curves.filter(curve => curve.points.sampled);
  if (thinned.length > 0) {
    const total = thinned.reduce((sum, curve) => sum + curve.points.total, 0);
    const shown = thinned.reduce((sum, curve) => sum + curve.points.values.length, 0);
    notes.push(`${shown.toLocaleString('en')} of ${total.toLocaleString('en')} points, extremes kept`);
  }
  if (options.log) {
    const left = curves.reduce(
      (sum, curve) => sum + positiveValues(finiteValues(curve.points.values).values).left,
      0
    );
    if (left > 0) {
      notes.push(`${left === 1 ? '1 point' : `${left} points`} not above 0`);
    }
  }
  return notes.join(' · ');
}

/** Whether every curve has one point only: then a number says more than a chart. */
export function singlePoints(curves: readonly ICurve[]): boolean {
  return (
    curves.every(curve => curve.points.total <= 1) &&
    curves.some(curve => extent(finiteValues(curve.points.values).values))
  );
}
