/** What one file of a run looks like. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, Preview } from '../api/types';
import { Resource } from './resource';

/** The preview of an artifact, or of a file of the code that ran. */
export class PreviewModel extends Resource<Preview> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string,
    readonly path: string,
    private readonly source: 'artifacts' | 'code'
  ) {
    super(feed);
  }

  protected fetch(): Promise<Preview> {
    return this.source === 'code'
      ? this.client.getCodeFile(this.runId, this.path)
      : this.client.previewArtifact(this.runId, this.path);
  }

  protected concerns({ kind, id }: Change): boolean {
    return this.source === 'artifacts' && kind === 'run' && id === this.runId;
  }
}
