/** What a run reports while it goes on: series of metrics and output. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, LogSlice, MetricSeries } from '../api/types';
import { Resource } from './resource';

const MAX_POINTS = 5000;
/** A tail may grow to this before the series is read anew, thinned out. */
const MAX_GROWN_POINTS = 2 * MAX_POINTS;

/**
 * Points of chosen metrics of one run, by name.
 *
 * `want` says which; new points are asked for from where each series ends and appended.
 */
export class MetricsModel extends Resource<ReadonlyMap<string, MetricSeries>> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string
  ) {
    super(feed);
  }

  /** Adds metrics to those that are kept fresh. */
  want(names: readonly string[]): void {
    const before = this._names.size;
    names.forEach(name => this._names.add(name));
    if (this._names.size > before && this.holders > 0) {
      void this.refresh();
    }
  }

  protected async fetch(): Promise<ReadonlyMap<string, MetricSeries>> {
    const series = new Map(this.value);
    for (const [after, names] of this.questions(series)) {
      for (let start = 0; start < names.length; start += 200) {
        const part = names.slice(start, start + 200);
        const answer = await this.client.getSeries(this.runId, part, { max_points: MAX_POINTS, after });
        for (const one of answer) {
          const old = after > 0 ? series.get(one.name) : undefined;
          series.set(one.name, old ? joined(old, one, after) : one);
        }
      }
    }
    return series;
  }

  protected override same(
    a: ReadonlyMap<string, MetricSeries>,
    b: ReadonlyMap<string, MetricSeries>
  ): boolean {
    return a.size === b.size && [...b].every(([name, one]) => a.get(name)?.total === one.total);
  }

  protected override onReset(): void {
    void this.restart(false);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'metrics' && id === this.runId;
  }

  /** Groups the wanted metrics by the number of points that are already here. */
  private questions(series: ReadonlyMap<string, MetricSeries>): Map<number, string[]> {
    const questions = new Map<number, string[]>();
    for (const name of this._names) {
      const old = series.get(name);
      const after = old && old.values.length < MAX_GROWN_POINTS ? old.total : 0;
      questions.set(after, [...(questions.get(after) ?? []), name]);
    }
    return questions;
  }

  private readonly _names = new Set<string>();
}

function joined(old: MetricSeries, tail: MetricSeries, after: number): MetricSeries {
  if (tail.values.length === 0) {
    return old;
  }
  return {
    name: old.name,
    steps: [...old.steps, ...tail.steps],
    times: [...old.times, ...tail.times],
    values: [...old.values, ...tail.values],
    total: Math.max(tail.total, after + tail.values.length),
    sampled: old.sampled || tail.sampled,
    non_finite: Math.max(old.non_finite, tail.non_finite)
  };
}

/** A part of a run's output: `text` is the bytes from `offset` up to `next_offset` of a file of `size` bytes. */
export type LogText = LogSlice;

const TAIL_BYTES = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** More than this is not kept; the beginning is dropped and can be read again with `earlier`. */
const KEPT_CHARS = 2 * 1024 * 1024;

/** The end of a run's output, read on by offset while it grows. */
export class LogModel extends Resource<LogText> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string,
    private readonly tailBytes = TAIL_BYTES
  ) {
    super(feed);
  }

  /** Reads what comes before the part that is here. */
  async earlier(): Promise<void> {
    const now = this.value;
    if (!now || now.offset === 0) {
      return;
    }
    const offset = Math.max(0, now.offset - CHUNK_BYTES);
    const slice = await this.client.getLogs(this.runId, { offset, limit: now.offset - offset });
    this.accept({ ...now, text: slice.text + now.text, offset: slice.offset });
  }

  private tail(): Promise<LogText> {
    return this.client.getLogs(this.runId, { offset: -1, limit: this.tailBytes });
  }

  protected async fetch(): Promise<LogText> {
    let now = this.value ?? (await this.tail());
    for (;;) {
      const slice = await this.client.getLogs(this.runId, { offset: now.next_offset, limit: CHUNK_BYTES });
      const replaced = slice.size < now.next_offset;
      // Output that comes faster than it is read would be dropped at once: go on at its end.
      if (replaced || slice.size - slice.next_offset > KEPT_CHARS) {
        return this.tail();
      }
      now = trimmed({ ...slice, text: now.text + slice.text, offset: now.offset });
      if (slice.next_offset >= slice.size || slice.text === '') {
        return now;
      }
    }
  }

  protected override onReset(): void {
    void this.restart(false);
  }

  protected override onBeat(): void {
    if (this.value?.live) {
      void this.refresh();
    }
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'metrics' || kind === 'run') && id === this.runId;
  }
}

function trimmed(log: LogText): LogText {
  const surplus = log.text.length - KEPT_CHARS;
  if (surplus <= 0) {
    return log;
  }
  const cut = log.text.indexOf('\n', surplus) + 1 || surplus;
  const dropped = new TextEncoder().encode(log.text.slice(0, cut)).length;
  return { ...log, text: log.text.slice(cut), offset: log.offset + dropped };
}
