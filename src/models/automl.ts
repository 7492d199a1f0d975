/** AutoML runs, and tables before anything is done with them. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import {
  type AutoML,
  type Change,
  type NewAutoML,
  type RunStatus,
  type TablePreview,
  type TableQuestion,
  isEnded
} from '../api/types';
import { Resource } from './resource';

/** One AutoML run with all that it has found so far. */
export class AutoMLModel extends Resource<AutoML> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly id: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<AutoML> {
    return this.client.automl.read(this.id);
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'sweep' || kind === 'run') && id === this.id;
  }

  protected override get pauseMs(): number {
    return 500;
  }

  /** Time goes on without a change of the run's own. */
  protected override onBeat(): void {
    if (this.value && !isEnded(this.value.status as RunStatus)) {
      void this.refresh();
    }
  }
}

/** What a table holds, and what a run would find in it; read once, and again on request. */
export class TablePreviewModel extends Resource<TablePreview> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly question: TableQuestion
  ) {
    super(feed);
  }

  protected fetch(): Promise<TablePreview> {
    return this.client.automl.preview(this.question);
  }

  protected concerns(): boolean {
    return false;
  }
}

/** The code that begins a run which nobody has begun yet. */
export class DraftCodeModel extends Resource<{ text: string }> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    private readonly request: NewAutoML,
    private readonly format: 'python' | 'yaml'
  ) {
    super(feed);
  }

  protected fetch(): Promise<{ text: string }> {
    return this.client.automl.draft(this.request, this.format);
  }

  protected concerns(): boolean {
    return false;
  }
}
