/** One run, and what it is asked for in its own view. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { ArtifactList, Change, Chart, Run, Snapshot } from '../api/types';
import { Resource } from './resource';

/** One run with its parameters, metric summaries and origin. */
export class RunModel extends Resource<Run> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly id: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Run> {
    return this.client.getRun(this.id);
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'run' || kind === 'metrics') && id === this.id;
  }
}

/** Charts weigh much and change seldom: while a run logs points all the time they are not read more often than this. */
const CHARTS_PAUSE_MS = 3_000;

/** The charts of a run, with their data. */
export class ChartsModel extends Resource<Chart[]> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Chart[]> {
    return this.client.listCharts(this.runId);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'metrics' && id === this.runId;
  }

  protected override get pauseMs(): number {
    return CHARTS_PAUSE_MS;
  }
}

/** One folder of a run's artifacts. */
export class ArtifactsModel extends Resource<ArtifactList> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string,
    readonly path: string
  ) {
    super(feed);
  }

  /** Reads the next page of a large folder, if there is one. */
  more(): Promise<void> {
    if (this.value?.next_page_token) {
      this._pages += 1;
      return this.refresh();
    }
    return Promise.resolve();
  }

  protected async fetch(): Promise<ArtifactList> {
    const entries: ArtifactList['entries'] = [];
    let list: ArtifactList;
    let token: string | null = null;
    let pages = 0;
    do {
      list = await this.client.listArtifacts(this.runId, { path: this.path, page_token: token });
      entries.push(...list.entries);
      token = list.next_page_token;
      pages += 1;
    } while (token !== null && pages < this._pages);
    return { ...list, entries };
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'run' || kind === 'metrics') && id === this.runId;
  }

  private _pages = 1;
}

/** The code that a run executed; it never changes. */
export class CodeModel extends Resource<Snapshot> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Snapshot> {
    return this.client.getCode(this.runId);
  }

  protected concerns(): boolean {
    return false;
  }
}
