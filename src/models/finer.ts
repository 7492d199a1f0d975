/** The points between two places of a chart, finer than those of the whole. */
import type { Client, SeriesPart } from '../api/client';
import type { MetricSeries } from '../api/types';

/** A drag or a scroll zooms in many small steps; only where it stays is asked for. */
export const SETTLED_MS = 200;
const MAX_POINTS = 5000;

/**
 * Reads parts of one run's series: a later question takes the place of an earlier one, which is broken off.
 *
 * It is no `Resource`: what it read is a detail of one chart's zoom, and the whole series stays what is kept fresh.
 */
export class FinerPoints {
  constructor(
    private readonly client: Client,
    private readonly runId: string,
    private readonly found: (series: readonly MetricSeries[], part: SeriesPart) => void
  ) {}

  /** Asks for a part as soon as no other one was asked for in a while; what cannot be read stays coarse. */
  ask(names: readonly string[], part: SeriesPart): void {
    this.cancel();
    const abort = new AbortController();
    this.abort = abort;
    this.timer = setTimeout(() => {
      const query = { max_points: MAX_POINTS, ...part };
      this.client.getSeries(this.runId, names, query, abort.signal).then(
        series => abort.signal.aborted || this.found(series, part),
        () => undefined
      );
    }, SETTLED_MS);
  }

  /** Breaks off what is under way. */
  cancel(): void {
    clearTimeout(this.timer);
    this.abort?.abort();
  }

  private abort?: AbortController;
  private timer?: ReturnType<typeof setTimeout>;
}

/** Puts a part's points in the place of the coarse ones there; what came after it was read stays. */
export function refined(whole: MetricSeries, finer: MetricSeries, part: SeriesPart): MetricSeries {
  const inside = insideOf(part);
  const kept = whole.values.map((_, index) => index).filter(index => !inside(whole, index));
  const newer = finer.times.at(-1) ?? -Infinity;
  const late = whole.values
    .map((_, index) => index)
    .filter(index => inside(whole, index) && whole.times[index]! > newer);
  const points = [
    ...[...kept, ...late].map(index => pointOf(whole, index)),
    ...finer.values.map((_, index) => pointOf(finer, index))
  ];
  points.sort((a, b) => ('from_step' in part ? Number(a.step) - Number(b.step) : a.time - b.time));
  return {
    ...whole,
    steps: points.map(point => point.step),
    times: points.map(point => point.time),
    values: points.map(point => point.value)
  };
}

interface IPoint {
  step: MetricSeries['steps'][number];
  time: number;
  value: MetricSeries['values'][number];
}

function pointOf(series: MetricSeries, index: number): IPoint {
  return { step: series.steps[index]!, time: series.times[index]!, value: series.values[index]! };
}

function insideOf(part: SeriesPart): (series: MetricSeries, index: number) => boolean {
  if ('from_step' in part) {
    return ({ steps }, index) =>
      Number(steps[index]) >= part.from_step && Number(steps[index]) <= part.to_step;
  }
  return ({ times }, index) => times[index]! >= part.from_time && times[index]! <= part.to_time;
}
