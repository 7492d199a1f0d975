/** Experiments and the names that their runs use. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, Experiment, ExperimentColumns } from '../api/types';
import { Resource } from './resource';

/** All experiments, the one with the latest run first. */
export class ExperimentsModel extends Resource<Experiment[]> {
  constructor(
    feed: Feed,
    private readonly client: Client
  ) {
    super(feed);
  }

  protected fetch(): Promise<Experiment[]> {
    return this.client.listExperiments();
  }

  protected concerns({ kind }: Change): boolean {
    return kind === 'experiment' || kind === 'run';
  }
}

/** One experiment with its best run. */
export class ExperimentModel extends Resource<Experiment> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly id: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<Experiment> {
    return this.client.getExperiment(this.id);
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'run' || (kind === 'experiment' && id === this.id);
  }
}

/** What the table of an experiment's runs can show. */
export class ColumnsModel extends Resource<ExperimentColumns> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly experimentId: string
  ) {
    super(feed);
  }

  protected fetch(): Promise<ExperimentColumns> {
    return this.client.experimentColumns(this.experimentId);
  }

  protected concerns({ kind }: Change): boolean {
    return kind === 'run' || kind === 'metrics';
  }
}
