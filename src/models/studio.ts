/** The studio as the front end knows it: one client, one feed, and every resource once. */
import type { Event, ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { Client } from '../api/client';
import { Feed } from '../api/feed';
import type { RunKind, RunsQuery, TableQuestion } from '../api/types';
import { AutoMLModel, TablePreviewModel } from './automl';
import { BatchEndpointModel, BatchEndpointsModel, BatchJobsModel } from './batch';
import { ComputeModel } from './compute';
import { EndpointModel, EndpointsModel } from './endpoints';
import { ColumnsModel, ExperimentModel, ExperimentsModel } from './experiments';
import { type FileExists, QuickstartModel } from './files';
import { GraphModel, ModelModel, ModelsModel, ProfilesModel, VersionModel } from './models';
import { type PreferenceStore, Preferences } from './preferences';
import type { Resource } from './resource';
import { ArtifactsModel, ChartsModel, CodeModel, RunModel } from './run';
import { RunsModel } from './runs';
import { ImportanceModel, SweepModel, TrialsModel } from './sweeps';
import { LogModel, MetricsModel } from './tracking';
import { WorkspacesModel } from './workspaces';

/** What is in front of the user, for the sidebar to mark. */
export interface Selection {
  kind: 'run' | 'experiment' | 'model' | 'endpoint' | 'batch';
  id: string;
}

/** Runs that are somebody's work; conversions show at their model and serving runs at their endpoint. */
export const WORK_KINDS: readonly RunKind[] = [
  'cell',
  'script',
  'notebook',
  'command',
  'interactive',
  'sweep',
  'automl'
];

/** What marks the trials of sweeps, with their number. */
export const TRIAL_TAG = 'mlstudio.trial';
/** Leaves the trials of sweeps out of a list of runs; they are shown at their sweep. */
export const NO_TRIALS = `tags.\`${TRIAL_TAG}\` IS NULL`;
/** Leaves out the many models of an AutoML run as well. */
export const NO_PARTS = `${NO_TRIALS} AND tags.\`mlstudio.automl.partition\` IS NULL`;

/** A resource that nobody retains is forgotten after this time, so that going back and forth costs nothing. */
const FORGET_MS = 60_000;

/**
 * Owns client, feed and resources.
 *
 * `run(id)` and its siblings answer the same instance to everybody who asks while somebody retains it
 * (`Resource.retain`, or the hook `useResource`), so a run that is open in three places is read once.
 */
export class StudioModel implements IDisposable {
  constructor(options: {
    settings?: ServerConnection.ISettings;
    events?: Pick<Event.IManager, 'stream'>;
    client?: Client;
    feed?: Feed;
    preferences?: PreferenceStore;
    exists?: FileExists;
  }) {
    this.client = options.client ?? new Client(options.settings);
    this.feed = options.feed ?? new Feed(this.client, options.events);
    this.workspaces = new WorkspacesModel(this.feed, this.client);
    this.experiments = new ExperimentsModel(this.feed, this.client);
    this.recentRuns = new RunsModel(this.feed, this.client, { kind: [...WORK_KINDS], filter: NO_PARTS }, 50);
    this.liveRuns = new RunsModel(this.feed, this.client, { status: 'live', filter: NO_PARTS }, 200);
    this.models = new ModelsModel(this.feed, this.client);
    this.endpoints = new EndpointsModel(this.feed, this.client);
    this.batchEndpoints = new BatchEndpointsModel(this.feed, this.client);
    this.compute = new ComputeModel(this.feed, this.client);
    this.quickstart = new QuickstartModel(this.feed, options.exists ?? (() => Promise.resolve(false)));
    this.preferences = new Preferences(options.preferences);
  }

  readonly client: Client;
  readonly feed: Feed;
  readonly workspaces: WorkspacesModel;
  readonly experiments: ExperimentsModel;
  /** Live runs first, then the newest. */
  readonly recentRuns: RunsModel;
  readonly liveRuns: RunsModel;
  readonly models: ModelsModel;
  readonly endpoints: EndpointsModel;
  readonly batchEndpoints: BatchEndpointsModel;
  readonly compute: ComputeModel;
  readonly quickstart: QuickstartModel;
  readonly preferences: Preferences;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get selection(): Selection | null {
    return this._selection;
  }

  set selection(selection: Selection | null) {
    if (selection?.kind !== this._selection?.kind || selection?.id !== this._selection?.id) {
      this._selection = selection;
      this._selectionChanged.emit();
    }
  }

  get selectionChanged(): ISignal<this, void> {
    return this._selectionChanged;
  }

  run(id: string): RunModel {
    return this.shared(['run', id], () => new RunModel(this.feed, this.client, id));
  }

  metrics(runId: string): MetricsModel {
    return this.shared(['metrics', runId], () => new MetricsModel(this.feed, this.client, runId));
  }

  log(runId: string): LogModel {
    return this.shared(['log', runId], () => new LogModel(this.feed, this.client, runId));
  }

  charts(runId: string): ChartsModel {
    return this.shared(['charts', runId], () => new ChartsModel(this.feed, this.client, runId));
  }

  artifacts(runId: string, path = ''): ArtifactsModel {
    return this.shared(
      ['artifacts', runId, path],
      () => new ArtifactsModel(this.feed, this.client, runId, path)
    );
  }

  code(runId: string): CodeModel {
    return this.shared(['code', runId], () => new CodeModel(this.feed, this.client, runId));
  }

  sweep(runId: string): SweepModel {
    return this.shared(['sweep', runId], () => new SweepModel(this.feed, this.client, runId));
  }

  trials(runId: string): TrialsModel {
    return this.shared(['trials', runId], () => new TrialsModel(this.feed, this.client, runId));
  }

  importance(runId: string, objective: number, evaluator: string): ImportanceModel {
    return this.shared(
      ['importance', runId, String(objective), evaluator],
      () => new ImportanceModel(this.feed, this.client, runId, objective, evaluator)
    );
  }

  automl(runId: string): AutoMLModel {
    return this.shared(['automl', runId], () => new AutoMLModel(this.feed, this.client, runId));
  }

  table(question: TableQuestion): TablePreviewModel {
    return this.shared(
      ['table', JSON.stringify(question)],
      () => new TablePreviewModel(this.feed, this.client, question)
    );
  }

  experiment(id: string): ExperimentModel {
    return this.shared(['experiment', id], () => new ExperimentModel(this.feed, this.client, id));
  }

  columns(experimentId: string): ColumnsModel {
    return this.shared(
      ['columns', experimentId],
      () => new ColumnsModel(this.feed, this.client, experimentId)
    );
  }

  model(name: string): ModelModel {
    return this.shared(['model', name], () => new ModelModel(this.feed, this.client, name));
  }

  version(name: string, version: string | number): VersionModel {
    return this.shared(
      ['version', name, String(version)],
      () => new VersionModel(this.feed, this.client, name, version)
    );
  }

  endpoint(name: string): EndpointModel {
    return this.shared(['endpoint', name], () => new EndpointModel(this.feed, this.client, name));
  }

  batchEndpoint(name: string): BatchEndpointModel {
    return this.shared(['batch', name], () => new BatchEndpointModel(this.feed, this.client, name));
  }

  batchJobs(name: string): BatchJobsModel {
    return this.shared(['jobs', name], () => new BatchJobsModel(this.feed, this.client, name));
  }

  graph(name: string, version: number): GraphModel {
    return this.shared(
      ['graph', name, String(version)],
      () => new GraphModel(this.feed, this.client, name, version)
    );
  }

  profiles(name: string, version: number): ProfilesModel {
    return this.shared(
      ['profiles', name, String(version)],
      () => new ProfilesModel(this.feed, this.client, name, version)
    );
  }

  /** The studio of another workspace that the server knows; it has a clock of its own, which asks at a slow beat. */
  elsewhere(workspaceId: string): StudioModel {
    let other = this._elsewhere.get(workspaceId);
    if (!other) {
      other = new StudioModel({ client: this.client.in(workspaceId) });
      this._elsewhere.set(workspaceId, other);
    }
    return other;
  }

  /** A list of runs of the caller's own, which the caller disposes of. */
  runs(query: RunsQuery, pageSize?: number): RunsModel {
    return new RunsModel(this.feed, this.client, query, pageSize);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._sweepTimer);
    for (const resource of this._shared.values()) {
      resource.dispose();
    }
    this._shared.clear();
    this._elsewhere.forEach(other => other.dispose());
    this.feed.dispose();
    Signal.clearData(this);
  }

  private shared<R extends Resource<unknown>>(key: readonly string[], make: () => R): R {
    const name = JSON.stringify(key);
    let resource = this._shared.get(name) as R | undefined;
    if (!resource) {
      resource = make();
      this._shared.set(name, resource);
      this.sweepLater();
    }
    return resource;
  }

  /** Forgets what nobody holds; a resource must be found idle twice, so that one just asked for is spared. */
  private sweepLater(): void {
    if (this._sweepTimer || this._isDisposed) {
      return;
    }
    this._sweepTimer = window.setTimeout(() => {
      this._sweepTimer = 0;
      const idle = [...this._shared].filter(([, resource]) => resource.holders === 0).map(([name]) => name);
      for (const name of idle.filter(one => this._idle.has(one))) {
        this._shared.get(name)?.dispose();
        this._shared.delete(name);
      }
      this._idle = new Set(idle.filter(name => this._shared.has(name)));
      if (this._shared.size > 0) {
        this.sweepLater();
      }
    }, FORGET_MS);
  }

  private _selection: Selection | null = null;
  private _idle = new Set<string>();
  private _sweepTimer = 0;
  private _isDisposed = false;
  private readonly _elsewhere = new Map<string, StudioModel>();
  private readonly _shared = new Map<string, Resource<unknown>>();
  private readonly _selectionChanged = new Signal<this, void>(this);
}
