/** Sweeps: what is asked of one, and its trials, which may be many and are read on from where the last reading ended. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, Importance, Sweep, Trial } from '../api/types';
import { Resource } from './resource';

/** Kinds of runs whose work can be tried again with other parameters. */
export const SWEPT_KINDS: readonly string[] = ['cell', 'script', 'notebook', 'command'];

/** Trials that count: complete, pruned and failed ones, but those that another one repeats. */
export function doneOf(counts: Readonly<Record<string, number>>, trials: readonly Trial[]): number {
  const over = (counts['COMPLETE'] ?? 0) + (counts['PRUNED'] ?? 0) + (counts['FAIL'] ?? 0);
  return over - trials.filter(trial => trial.retried).length;
}

/** One sweep: its space, limits, phase and best trial. */
export class SweepModel extends Resource<Sweep> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly id: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Sweep> {
    return this.client.getSweep(this.id);
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'sweep' || kind === 'run') && id === this.id;
  }

  protected override get pauseMs(): number {
    return 250;
  }
}

/** The trials in the order of their numbers, and where to read on. */
export interface Trials {
  trials: readonly Trial[];
  cursor: number;
}

const PAGE = 5000;
/** With more trials than this, a change is shown a little later. */
const MANY = 2000;

/** All trials of a sweep; only those that changed are asked for again. */
export class TrialsModel extends Resource<Trials> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly id: string
  ) {
    super(feed);
  }

  protected async fetch(): Promise<Trials> {
    const before = this.value;
    let cursor = before?.cursor ?? 0;
    const changed: Trial[] = [];
    for (;;) {
      const page = await this.client.listTrials(this.id, cursor, PAGE);
      changed.push(...page.trials);
      cursor = page.cursor;
      if (page.trials.length < PAGE) {
        return { trials: merged(before?.trials ?? [], changed), cursor };
      }
    }
  }

  protected override same(a: Trials, b: Trials): boolean {
    return a.cursor === b.cursor && a.trials.length === b.trials.length;
  }

  protected override onReset(): void {
    void this.restart(false);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'sweep' && id === this.id;
  }

  protected override get pauseMs(): number {
    return (this.value?.trials.length ?? 0) > MANY ? 1000 : 250;
  }
}

/** Puts changed trials in their places; what did not change stays the same object. */
export function merged(before: readonly Trial[], changed: readonly Trial[]): readonly Trial[] {
  if (changed.length === 0) {
    return before;
  }
  const byNumber = new Map(before.map(trial => [trial.number, trial]));
  for (const trial of changed) {
    byNumber.set(trial.number, trial);
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/** The server works it out in a process of its own, so it is asked for seldom while trials come in. */
const IMPORTANCE_PAUSE_MS = 20_000;

/** How much each parameter matters for an objective. */
export class ImportanceModel extends Resource<Importance> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly id: string,
    readonly objective: number,
    readonly evaluator: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Importance> {
    return this.client.getImportance(this.id, this.objective, this.evaluator);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'sweep' && id === this.id;
  }

  protected override get pauseMs(): number {
    return IMPORTANCE_PAUSE_MS;
  }
}
