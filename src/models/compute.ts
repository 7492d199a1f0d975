/** Compute targets and what is taken of them. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, ComputeTarget } from '../api/types';
import { Resource } from './resource';

/** All compute targets; their load is read again on the feed's beat. */
export class ComputeModel extends Resource<ComputeTarget[]> {
  constructor(
    feed: Feed,
    private readonly client: Client
  ) {
    super(feed);
  }

  protected fetch(): Promise<ComputeTarget[]> {
    return this.client.listCompute();
  }

  protected override onBeat(): void {
    void this.refresh();
  }

  protected concerns({ kind }: Change): boolean {
    return kind === 'compute' || kind === 'run';
  }
}
