/** Endpoints. Their request counts have no change of their own, so they are read again on the feed's beat. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, Endpoint } from '../api/types';
import { Resource } from './resource';

function runs(endpoint: Endpoint): boolean {
  return endpoint.state === 'Ready' || endpoint.state === 'Starting';
}

/** All endpoints by name. */
export class EndpointsModel extends Resource<Endpoint[]> {
  constructor(
    feed: Feed,
    private readonly client: Client
  ) {
    super(feed);
  }

  protected fetch(): Promise<Endpoint[]> {
    return this.client.listEndpoints();
  }

  protected override onBeat(): void {
    if (this.value?.some(runs)) {
      void this.refresh();
    }
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'endpoint' || (kind === 'run' && serves(this.value ?? [], id));
  }
}

/** One endpoint with its state, address and counts. */
export class EndpointModel extends Resource<Endpoint> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Endpoint> {
    return this.client.getEndpoint(this.name);
  }

  protected override onBeat(): void {
    if (this.value && runs(this.value)) {
      void this.refresh();
    }
  }

  protected concerns({ kind, id }: Change): boolean {
    if (kind === 'endpoint') {
      return id === this.name;
    }
    return (kind === 'run' || kind === 'metrics') && serves(this.value ? [this.value] : [], id);
  }
}

function serves(endpoints: Endpoint[], runId: string): boolean {
  return endpoints.some(endpoint => endpoint.run_id === runId);
}
