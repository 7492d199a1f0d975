/** Registered models and their versions. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, Graph, Model, ModelVersion, RunSummary } from '../api/types';
import { Resource } from './resource';

/** All registered models, the one registered to last first. */
export class ModelsModel extends Resource<Model[]> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    /** Whether archived models are listed too. */
    private readonly archived = false
  ) {
    super(feed);
  }

  protected fetch(): Promise<Model[]> {
    return this.client.listModels('', this.archived);
  }

  protected concerns({ kind }: Change): boolean {
    return kind === 'model';
  }
}

/** One registered model with its aliases and the numbers of its versions. */
export class ModelModel extends Resource<Model> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Model> {
    return this.client.getModel(this.name);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'model' && id === this.name;
  }
}

/** One version of a model; `version` is a number, an alias or `latest`. */
export class VersionModel extends Resource<ModelVersion> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string,
    readonly version: string | number
  ) {
    super(feed);
  }

  protected fetch(): Promise<ModelVersion> {
    return this.client.getVersion(this.name, this.version);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'model' && id === this.name;
  }
}

/** What the ONNX file of a version holds; a version that is ready never changes. */
export class GraphModel extends Resource<Graph> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string,
    readonly version: number
  ) {
    super(feed);
  }

  protected fetch(): Promise<Graph> {
    return this.client.graphs.read(this.name, this.version);
  }

  protected concerns(): boolean {
    return false;
  }
}

/** The runs that measured a version, the newest first. */
export class ProfilesModel extends Resource<RunSummary[]> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly name: string,
    readonly version: number
  ) {
    super(feed);
  }

  protected async fetch(): Promise<RunSummary[]> {
    // Named by the server, which cuts long names.
    const name = `profile ${this.name} ${this.version}`.slice(0, 200);
    const found = await this.client.listRuns({
      q: name,
      kind: ['convert'],
      order_by: ['created_at DESC'],
      max_results: 50
    });
    return found.items.filter(run => run.name === name);
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'run' || kind === 'metrics') && (this.value?.some(run => run.id === id) ?? false);
  }
}

/** Something that is told about a model beside its versions: users, journal, lineage, a comparison. */
export class ModelReport<T> extends Resource<T> {
  constructor(
    feed: Feed,
    readonly name: string,
    private readonly ask: () => Promise<T>
  ) {
    super(feed);
  }

  protected fetch(): Promise<T> {
    return this.ask();
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'endpoint' || (kind === 'model' && id === this.name);
  }
}
