/** One short method per operation of the studio's REST API. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { automlCalls } from './automl';
import { batchCalls } from './batch';
import { graphCalls } from './graphs';
import type * as api from './types';

const PREFIX = 'mlstudio/api/v1';

type Value = string | number | boolean | null | undefined | readonly string[];
type Parts = readonly (string | number)[];

/** How operations that have a file of their own ask. */
export interface Transport {
  get: <T>(parts: Parts, query?: Readonly<Record<string, Value>>) => Promise<T>;
  send: <T>(method: string, parts: Parts, body?: unknown, etag?: number) => Promise<T>;
}

/** What went wrong: `code` is the server's stable word for it, `status` the HTTP status (0: no answer at all). */
export class StudioError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number
  ) {
    super(message);
    this.name = 'StudioError';
  }

  /** Makes a `StudioError` of whatever was thrown. */
  static from(thrown: unknown): StudioError {
    if (thrown instanceof StudioError) {
      return thrown;
    }
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const unreachable = thrown instanceof ServerConnection.NetworkError || thrown instanceof TypeError;
    return unreachable
      ? new StudioError('unreachable', `The Jupyter server does not answer (${why}).`, 0)
      : new StudioError('internal', why, 0);
  }
}

/** A part of a series, with both ends: by step, or by time in seconds since 1970. */
export type SeriesPart = { from_step: number; to_step: number } | { from_time: number; to_time: number };

/**
 * The studio's REST API as typed calls.
 *
 * Goes through Lab's `ServerConnection`, so it works under any base URL and with any authentication.
 * `workspace` is the id of a workspace that the server knows; without it the server uses its own.
 */
export class Client {
  constructor(
    readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings(),
    readonly workspace: string | null = null
  ) {}

  private readonly transport: Transport = {
    get: (parts, query) => this.get(parts, query),
    send: (method, parts, body, etag) => this.send(method, parts, body, etag)
  };

  readonly automl = automlCalls(this.transport);
  readonly batch = batchCalls(this.transport);
  readonly graphs = graphCalls(this.transport);

  /** The same server, another workspace. */
  in(workspace: string | null): Client {
    return new Client(this.settings, workspace);
  }

  listWorkspaces = (): Promise<api.WorkspaceInfo[]> => this.get(['workspaces']);
  openWorkspace = (body: api.NewWorkspace): Promise<api.WorkspaceInfo> =>
    this.send('POST', ['workspaces'], body);
  diagnose = (): Promise<api.Check[]> => this.get(['workspaces', 'current', 'checks']);

  listCompute = (): Promise<api.ComputeTarget[]> => this.get(['compute']);
  updateCompute = (name: string, slots: number): Promise<api.ComputeTarget> =>
    this.send('PATCH', ['compute', name], { slots });

  listChanges = (since: number, epoch: string): Promise<api.ChangeList> =>
    this.get(['changes'], { since, epoch });

  listExperiments = (query: { q?: string; archived?: boolean } = {}): Promise<api.Experiment[]> =>
    this.get(['experiments'], query);
  createExperiment = (body: api.NewExperiment): Promise<api.Experiment> =>
    this.send('POST', ['experiments'], body);
  getExperiment = (id: string): Promise<api.Experiment> => this.get(['experiments', id]);
  updateExperiment = (id: string, body: api.ExperimentChange): Promise<api.Experiment> =>
    this.send('PATCH', ['experiments', id], body);
  experimentColumns = (id: string): Promise<api.ExperimentColumns> =>
    this.get(['experiments', id, 'columns']);

  listRuns = (query: api.RunsQuery = {}): Promise<api.RunPage> => this.get(['runs'], { ...query });
  submitRun = (body: api.NewRun): Promise<api.Run> => this.send('POST', ['runs'], body);
  startInteractive = (body: api.NewInteractiveRun): Promise<api.RunAddress> =>
    this.send('POST', ['runs', 'interactive'], body);
  getRun = (id: string): Promise<api.Run> => this.get(['runs', id]);
  updateRun = (id: string, body: api.RunChange, etag?: number): Promise<api.Run> =>
    this.send('PATCH', ['runs', id], body, etag);
  deleteRun = (id: string): Promise<void> => this.send('DELETE', ['runs', id]);
  stopRun = (id: string): Promise<api.Run> => this.send('POST', ['runs', id, 'stop'], {});
  retryRun = (id: string, params: Record<string, unknown> = {}): Promise<api.Run> =>
    this.send('POST', ['runs', id, 'retry'], { params });

  logBatch = (id: string, body: api.LogBatch): Promise<api.LogAnswer> =>
    this.send('POST', ['runs', id, 'log'], body);
  listMetrics = (id: string): Promise<api.MetricSummary[]> => this.get(['runs', id, 'metrics']);
  getSeries = (
    id: string,
    name: readonly string[],
    query: { max_points?: number; after?: number } & Partial<SeriesPart> = {},
    signal?: AbortSignal
  ): Promise<api.MetricSeries[]> =>
    this.ask(this.url(['runs', id, 'series'], { name, ...query }), {
      method: 'GET',
      ...(signal ? { signal } : {})
    });
  getLogs = (id: string, query: { offset?: number; limit?: number } = {}): Promise<api.LogSlice> =>
    this.get(['runs', id, 'logs'], query);
  listCharts = (id: string): Promise<api.Chart[]> => this.get(['runs', id, 'charts']);
  putChart = (id: string, name: string, body: api.NewChart): Promise<api.Chart> =>
    this.send('PUT', ['runs', id, 'charts', name], body);
  finishRun = (id: string, body: api.Outcome): Promise<api.Run> =>
    this.send('POST', ['runs', id, 'finish'], body);

  listArtifacts = (
    id: string,
    query: { path?: string; max_results?: number; page_token?: string | null } = {}
  ): Promise<api.ArtifactList> => this.get(['runs', id, 'artifacts'], query);
  previewArtifact = (id: string, path: string): Promise<api.Preview> =>
    this.get(['runs', id, 'preview'], { path });
  downloadArtifact = (id: string, path: string): Promise<Blob> => this.blob(this.artifactUrl(id, path));
  uploadArtifact = (id: string, path: string, file: Blob): Promise<api.ArtifactEntry> =>
    this.upload(this.artifactUrl(id, path), file);
  deleteArtifact = (id: string, path: string): Promise<void> =>
    this.send('DELETE', ['runs', id, 'files', ...path.split('/')]);
  getCode = (id: string): Promise<api.Snapshot> => this.get(['runs', id, 'code']);
  getCodeFile = (id: string, path: string): Promise<api.Preview> =>
    this.get(['runs', id, 'code', 'file'], { path });

  startSweep = (body: api.NewSweep): Promise<api.Run> => this.send('POST', ['sweeps'], body);
  getSweep = (id: string): Promise<api.Sweep> => this.get(['sweeps', id]);
  listTrials = (id: string, after: number, limit: number): Promise<api.TrialPage> =>
    this.get(['sweeps', id, 'trials'], { after, limit });
  changeSweep = (id: string, body: api.SweepChange, etag?: number): Promise<api.Sweep> =>
    this.send('PATCH', ['sweeps', id], body, etag);
  resumeSweep = (id: string, limits: Partial<api.SweepLimits> = {}): Promise<api.Run> =>
    this.send('POST', ['sweeps', id, 'resume'], { limits });
  enqueuePoint = (id: string, params: Record<string, unknown>): Promise<api.Sweep> =>
    this.send('POST', ['sweeps', id, 'points'], { params });
  stopTrial = (id: string, number: number): Promise<api.Sweep> =>
    this.send('POST', ['sweeps', id, 'trials', number, 'stop'], {});
  getImportance = (id: string, objective: number, evaluator: string): Promise<api.Importance> =>
    this.get(['sweeps', id, 'importance'], { objective, evaluator });
  getSweepCode = (id: string, format: 'python' | 'yaml'): Promise<{ text: string }> =>
    this.get(['sweeps', id, 'code'], { format });
  openSweepNotebook = (id: string, trial?: number): Promise<{ path: string }> =>
    this.send('POST', ['sweeps', id, 'notebook'], trial === undefined ? {} : { trial });

  listModels = (q = '', archived = false): Promise<api.Model[]> => this.get(['models'], { q, archived });
  registerModel = (body: api.NewVersion): Promise<api.ModelVersion> => this.send('POST', ['models'], body);
  getModel = (name: string): Promise<api.Model> => this.get(['models', name]);
  updateModel = (name: string, body: api.ModelChange): Promise<api.Model> =>
    this.send('PATCH', ['models', name], body);
  deleteModel = (name: string): Promise<void> => this.send('DELETE', ['models', name]);
  getVersion = (name: string, version: string | number): Promise<api.ModelVersion> =>
    this.get(['models', name, 'versions', version]);
  updateVersion = (
    name: string,
    version: string | number,
    body: api.VersionChange,
    etag?: number
  ): Promise<api.ModelVersion> => this.send('PATCH', ['models', name, 'versions', version], body, etag);
  deleteVersion = (name: string, version: string | number): Promise<void> =>
    this.send('DELETE', ['models', name, 'versions', version]);
  finishConversion = (
    name: string,
    version: string | number,
    body: api.Conversion
  ): Promise<api.ModelVersion> =>
    this.send('POST', ['models', name, 'versions', version, 'conversion'], body);
  setAlias = (name: string, alias: string, version: number, reason = ''): Promise<api.Model> =>
    this.send('PUT', ['models', name, 'aliases', alias], { version, reason });
  deleteAlias = (name: string, alias: string, reason = ''): Promise<api.Model> =>
    this.ask(this.url(['models', name, 'aliases', alias], { reason }), { method: 'DELETE' });
  listModelUsers = (name: string): Promise<api.ModelUser[]> => this.get(['models', name, 'users']);
  packageVersion = (
    name: string,
    version: string | number,
    target: string,
    options: Record<string, unknown> = {}
  ): Promise<api.Run> =>
    this.send('POST', ['models', name, 'versions', version, 'package'], { target, options });
  uploadModelFile = (upload: string, path: string, file: Blob): Promise<api.ModelFile> =>
    this.upload(this.url(['model-uploads', upload, 'files', ...path.split('/')]), file);
  discardUpload = (upload: string): Promise<void> => this.send('DELETE', ['model-uploads', upload]);
  renameModel = (name: string, to: string): Promise<api.Model> =>
    this.send('POST', ['models', name, 'rename'], { name: to });
  archiveModel = (name: string, reason = ''): Promise<api.Model> =>
    this.send('POST', ['models', name, 'archive'], { reason });
  restoreModel = (name: string, reason = ''): Promise<api.Model> =>
    this.send('POST', ['models', name, 'restore'], { reason });
  listVersionUsers = (name: string, version: string | number): Promise<api.ModelUser[]> =>
    this.get(['models', name, 'versions', version, 'users']);
  decide = (name: string, version: number, body: api.Decision): Promise<api.ModelVersion> =>
    this.send('POST', ['models', name, 'versions', version, 'approval'], body);
  setStage = (name: string, version: number, body: api.StageChange): Promise<api.ModelVersion> =>
    this.send('POST', ['models', name, 'versions', version, 'stage'], body);
  setThreshold = (name: string, version: number, threshold: number): Promise<api.ModelVersion> =>
    this.send('POST', ['models', name, 'versions', version, 'threshold'], { threshold });
  archiveVersion = (name: string, version: number, reason = ''): Promise<api.ModelVersion> =>
    this.send('POST', ['models', name, 'versions', version, 'archive'], { reason });
  restoreVersion = (name: string, version: number, reason = ''): Promise<api.ModelVersion> =>
    this.send('POST', ['models', name, 'versions', version, 'restore'], { reason });
  getVersionJournal = (name: string, version: number): Promise<api.ModelJournal> =>
    this.get(['models', name, 'versions', version, 'journal']);
  getModelJournal = (name: string): Promise<api.ModelJournal> => this.get(['models', name, 'journal']);
  getModelCard = (name: string, version: string | number): Promise<api.ModelCard> =>
    this.get(['models', name, 'versions', version, 'card']);
  getModelLineage = (name: string, version: string | number): Promise<api.ModelLineage> =>
    this.get(['models', name, 'versions', version, 'lineage']);
  compareVersions = (name: string, left: number, right: number, other = name): Promise<api.ModelComparison> =>
    this.get(['models', name, 'compare'], { left, right, other });
  downloadModelFile = (name: string, version: string | number, path: string): Promise<Blob> =>
    this.blob(this.modelFileUrl(name, version, path));

  listEndpoints = (q = ''): Promise<api.Endpoint[]> => this.get(['endpoints'], { q });
  createEndpoint = (body: api.NewEndpoint): Promise<api.IssuedKeys> => this.send('POST', ['endpoints'], body);
  getEndpoint = (name: string): Promise<api.Endpoint> => this.get(['endpoints', name]);
  updateEndpoint = (name: string, body: api.EndpointChange, etag?: number): Promise<api.Endpoint> =>
    this.send('PATCH', ['endpoints', name], body, etag);
  deleteEndpoint = (name: string): Promise<void> => this.send('DELETE', ['endpoints', name]);
  stopEndpoint = (name: string): Promise<api.Endpoint> => this.send('POST', ['endpoints', name, 'stop'], {});
  restartEndpoint = (name: string): Promise<api.Endpoint> =>
    this.send('POST', ['endpoints', name, 'restart'], {});
  regenerateKey = (name: string, key: string, expiresAt: string | null = null): Promise<api.IssuedKeys> =>
    this.send('POST', ['endpoints', name, 'keys', key, 'regenerate'], { expires_at: expiresAt });
  /** `deployment` asks that one, whatever the shares of the traffic are. */
  scoreEndpoint = (name: string, body: api.ScoreRequest, deployment?: string): Promise<api.ScoreAnswer> =>
    this.ask(this.url(['endpoints', name, 'score'], { deployment }), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body)
    });
  addDeployment = (name: string, body: api.NewDeployment): Promise<api.Endpoint> =>
    this.send('POST', ['endpoints', name, 'deployments'], body);
  changeDeployment = (name: string, deployment: string, body: api.DeploymentChange): Promise<api.Endpoint> =>
    this.send('PATCH', ['endpoints', name, 'deployments', deployment], body);
  removeDeployment = (name: string, deployment: string): Promise<api.Endpoint> =>
    this.send('DELETE', ['endpoints', name, 'deployments', deployment]);
  startCanary = (name: string, body: api.NewCanary): Promise<api.Endpoint> =>
    this.send('POST', ['endpoints', name, 'canary'], body);
  stopCanary = (name: string): Promise<api.Endpoint> => this.send('DELETE', ['endpoints', name, 'canary']);
  listDifferences = (name: string, deployment?: string): Promise<api.AnswerDifference[]> =>
    this.get(['endpoints', name, 'differences'], { deployment });
  getSnippets = (name: string): Promise<api.Snippets> => this.get(['endpoints', name, 'snippets']);

  /** Where an operation lives; every part becomes one segment of the path. */
  url(parts: Parts, query: Readonly<Record<string, Value>> = {}): string {
    const path = parts.map(part => encodeURIComponent(String(part))).join('/');
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, workspace: this.workspace })) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null && item !== undefined && item !== '') {
          search.append(name, String(item));
        }
      }
    }
    const text = search.toString();
    return `${URLExt.join(this.settings.baseUrl, PREFIX)}/${path}${text ? `?${text}` : ''}`;
  }

  /** Where a browser downloads a file of a run (always sent as an attachment). */
  artifactUrl(runId: string, path: string): string {
    return this.url(['runs', runId, 'files', ...path.split('/')]);
  }

  /** Where a browser downloads a file of a model version (always sent as an attachment). */
  modelFileUrl(name: string, version: string | number, path: string): string {
    return this.url(['models', name, 'versions', version, 'files', ...path.split('/')]);
  }

  private get<T>(parts: Parts, query: Readonly<Record<string, Value>> = {}): Promise<T> {
    return this.ask<T>(this.url(parts, query), { method: 'GET' });
  }

  private send<T>(method: string, parts: Parts, body?: unknown, etag?: number): Promise<T> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (etag !== undefined) {
      headers['If-Match'] = String(etag);
    }
    return this.ask<T>(this.url(parts), {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    });
  }

  private upload<T>(url: string, body: Blob): Promise<T> {
    return this.ask<T>(url, { method: 'PUT', headers: { 'Content-Type': 'application/octet-stream' }, body });
  }

  private async blob(url: string): Promise<Blob> {
    const response = await this.request(url, { method: 'GET' });
    if (!response.ok) {
      throw refusal(response.status, response.statusText, await response.text());
    }
    return response.blob();
  }

  private async ask<T>(url: string, init: RequestInit): Promise<T> {
    const response = await this.request(url, init);
    const text = await response.text().catch((why: unknown) => {
      throw new StudioError('unreachable', `The answer broke off (${String(why)}).`, 0);
    });
    if (!response.ok) {
      throw refusal(response.status, response.statusText, text);
    }
    if (response.status === 204 || text === '') {
      return undefined as T;
    }
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new StudioError(
        'not_json',
        `The server answered something that is not JSON: ${brief(text)}`,
        response.status
      );
    }
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    try {
      // Lab's default, `no-store`, would put a time stamp into the query, and unknown names are refused there.
      return await ServerConnection.makeRequest(url, { cache: 'no-cache', ...init }, this.settings);
    } catch (why) {
      throw StudioError.from(why);
    }
  }
}

/** Reads `{"code", "message"}` of a refused request, and makes do with whatever else a proxy may answer. */
function refusal(status: number, statusText: string, text: string): StudioError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const { code, message } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const what =
    typeof message === 'string' && message ? message : `${status} ${statusText || brief(text)}`.trim();
  return new StudioError(typeof code === 'string' ? code : `http_${status}`, what, status);
}

function brief(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
