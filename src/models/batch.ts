/** Batch endpoints and their jobs. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { BatchEndpoint, Change, RunPage } from '../api/types';
import { Resource } from './resource';

/** All batch endpoints by name. */
export class BatchEndpointsModel extends Resource<BatchEndpoint[]> {
  constructor(
    feed: Feed,
    private readonly client: Client
  ) {
    super(feed);
  }

  protected fetch(): Promise<BatchEndpoint[]> {
    return this.client.batch.list();
  }

  protected concerns({ kind }: Change): boolean {
    return kind === 'batch';
  }
}

/** One batch endpoint with its deployments. */
export class BatchEndpointModel extends Resource<BatchEndpoint> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<BatchEndpoint> {
    return this.client.batch.read(this.name);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'batch' && id === this.name;
  }
}

/** Jobs report each mini-batch; their list is read again at most so often. */
const JOBS_PAUSE_MS = 1000;

/** The jobs of a batch endpoint, live ones first. A new one is told of as a run, not of which endpoint it is. */
export class BatchJobsModel extends Resource<RunPage> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<RunPage> {
    return this.client.batch.jobs(this.name);
  }

  protected concerns({ kind, id }: Change): boolean {
    const known = this.value?.items.some(run => run.id === id) ?? false;
    return kind === 'run' || (kind === 'metrics' && known) || (kind === 'batch' && id === this.name);
  }

  protected override get pauseMs(): number {
    return JOBS_PAUSE_MS;
  }
}
