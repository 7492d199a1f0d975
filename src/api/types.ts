/**
 * Names for the wire's types, so that nobody else reads the generated document.
 *
 * Answers always carry every field, also those that have a default; `Complete` says so to the compiler.
 */
import type { components } from './schema';

type Schemas = components['schemas'];

type Complete<T> = T extends (infer U)[]
  ? Complete<U>[]
  : T extends object
    ? { [K in keyof T]-?: Complete<T[K]> }
    : T;

type Answer<Name extends keyof Schemas> = Complete<Schemas[Name]>;
type Request<Name extends keyof Schemas> = Partial<Schemas[Name]>;

/** A float64 on the wire: JSON has no NaN and no infinities, so these travel as text. */
export type Real = number | 'NaN' | 'Infinity' | '-Infinity';

export type ArtifactEntry = Answer<'ArtifactEntry'>;
export type ArtifactList = Answer<'ArtifactList'>;
export type BestRun = Answer<'BestRun'>;
export type Change = Answer<'Change'>;
export type ChangeList = Answer<'ChangeList'>;
export type Chart = Answer<'Chart'>;
export type Check = Answer<'Check'>;
export type ComputeTarget = Answer<'ComputeTarget'>;
export type Deployment = Answer<'Deployment'>;
export type AnswerDifference = Answer<'AnswerDifference'>;
export type BatchDeployment = Answer<'BatchDeployment'>;
export type BatchEndpoint = Answer<'BatchEndpoint'>;
export type BatchSettings = Answer<'BatchSettings-Output'>;
export type Canary = Answer<'Canary'>;
export type CanaryEvent = Answer<'CanaryEvent'>;
export type CanaryPolicy = Answer<'CanaryPolicy-Output'>;
export type DeploymentSettings = Answer<'DeploymentSettings'>;
export type DeploymentState = Answer<'DeploymentState'>;
export type Endpoint = Answer<'Endpoint'>;
export type EndpointState = Answer<'EndpointState'>;
export type EndpointStats = Answer<'EndpointStats'>;
export type Environment = Answer<'Environment-Output'>;
export type Experiment = Answer<'Experiment'>;
export type ExperimentColumns = Answer<'ExperimentColumns'>;
export type GitState = Answer<'GitState-Output'>;
export type Goal = Experiment['goal'];
export type Gpu = Answer<'Gpu'>;
export type Graph = Answer<'Graph'>;
export type GraphNode = Answer<'GraphNode'>;
export type GraphTensor = Answer<'GraphTensor'>;
export type IssuedKeys = Answer<'IssuedKeys'>;
export type KeyInfo = Answer<'KeyInfo'>;
export type Limits = Answer<'Limits-Output'>;
export type LogAnswer = Answer<'LogAnswer'>;
export type LogSlice = Answer<'LogSlice'>;
export type MetricSeries = Answer<'MetricSeries'>;
export type MetricSummary = Answer<'MetricSummary'>;
export type Model = Answer<'Model'>;
export type ModelFile = Answer<'ModelFile'>;
export type ModelVersion = Answer<'ModelVersion'>;
export type Origin = Answer<'Origin-Output'>;
export type ParityAttempt = Answer<'ParityAttempt-Output'>;
export type ParityReport = Answer<'ParityReport-Output'>;
export type Preview = Answer<'Preview'>;
export type Progress = Answer<'Progress-Output'>;
export type Resources = Answer<'Resources-Output'>;
export type Run = Answer<'Run'>;
export type RunAddress = Answer<'RunAddress'>;
export type RunKind = Answer<'RunKind'>;
export type RunPage = Answer<'RunPage'>;
export type RunSpec = Answer<'RunSpec-Output'>;
export type RunStatus = Answer<'RunStatus'>;
export type RunSummary = Answer<'RunSummary'>;
export type ScoreAnswer = Answer<'ScoreAnswer'>;
export type Signature = Answer<'Signature-Output'>;
export type Snapshot = Answer<'Snapshot'>;
export type SnapshotFile = Answer<'SnapshotFile'>;
export type Snippet = Answer<'Snippet'>;
export type Snippets = Answer<'Snippets'>;
export type TensorSpec = Answer<'TensorSpec-Output'>;
export type ModelCard = Answer<'ModelCard'>;
export type ModelComparison = Answer<'ModelComparison'>;
export type ModelEvent = Answer<'ModelEvent'>;
export type ModelFormat = Answer<'ModelFormat'>;
export type ModelJournal = Answer<'ModelJournal'>;
export type ModelLineage = Answer<'ModelLineage'>;
export type ModelUser = Answer<'ModelUser'>;
export type Stage = Answer<'Stage'>;
export type VersionStatus = Answer<'VersionStatus'>;
export type WorkspaceInfo = Answer<'WorkspaceInfo'>;

/** Bodies that a caller sends; fields with a default may be left out. */
export type AliasTarget = Request<'AliasTarget'> & Pick<Schemas['AliasTarget'], 'version'>;
export type Decision = Request<'Decision'> & Pick<Schemas['Decision'], 'status'>;
export type StageChange = Request<'StageChange'> & Pick<Schemas['StageChange'], 'stage'>;
export type BatchEndpointChange = Request<'BatchEndpointChange'>;
export type Derivation = Request<'Derivation'> & Pick<Schemas['Derivation'], 'kind'>;
export type Invocation = Request<'Invocation'> & Pick<Schemas['Invocation'], 'data'>;
export type NewBatchDeployment = Request<'NewBatchDeployment'> & Pick<Schemas['NewBatchDeployment'], 'model'>;
export type NewBatchEndpoint = Request<'NewBatchEndpoint'> &
  Pick<Schemas['NewBatchEndpoint'], 'name' | 'model'>;
export type Conversion = Request<'Conversion'> & Pick<Schemas['Conversion'], 'ready'>;
export type DeploymentChange = Request<'DeploymentChange'>;
export type EndpointChange = Request<'EndpointChange'>;
export type ExperimentChange = Request<'ExperimentChange'>;
export type LogBatch = Request<'LogBatch'> & Pick<Schemas['LogBatch'], 'client' | 'sequence'>;
export type ModelChange = Request<'ModelChange'>;
export type NewChart = Schemas['NewChart'];
export type NewCanary = Omit<Request<'NewCanary'>, 'policy'> &
  Pick<Schemas['NewCanary'], 'deployment'> & { policy?: Partial<Schemas['CanaryPolicy-Input']> };
export type NewDeployment = Request<'NewDeployment'> & Pick<Schemas['NewDeployment'], 'name' | 'model'>;
export type NewEndpoint = Request<'NewEndpoint'> & Pick<Schemas['NewEndpoint'], 'name' | 'model'>;
export type NewExperiment = Request<'NewExperiment'> & Pick<Schemas['NewExperiment'], 'name'>;
export type NewInteractiveRun = Request<'NewInteractiveRun'> & Pick<Schemas['NewInteractiveRun'], 'pid'>;
export type NewRun = Omit<Request<'NewRun'>, 'spec' | 'origin'> & {
  kind: RunKind;
  spec: Partial<Schemas['RunSpec-Input']>;
  origin?: Partial<Schemas['Origin-Input']>;
};
export type NewVersion = Request<'NewVersion'> & Pick<Schemas['NewVersion'], 'name'>;
export type NewWorkspace = Schemas['NewWorkspace'];
export type Outcome = Request<'Outcome'>;
export type RunChange = Request<'RunChange'>;
export type ScoreRequest = Request<'ScoreRequest'> & Pick<Schemas['ScoreRequest'], 'inputs'>;
export type VersionChange = Request<'VersionChange'>;

/** How a parameter is drawn: `type` and what that type needs, in Azure's names. */
export type Distribution = Record<string, unknown>;
export type Space = Record<string, Distribution>;

export type Lead = Answer<'Lead-Output'>;
export type Objective = Answer<'Objective-Output'>;
export type Sweep = Omit<Answer<'Sweep'>, 'status' | 'best'> & { status: RunStatus; best: Trial | null };
export type SweepGoal = Objective['goal'];
export type SweepLimits = Answer<'SweepLimits-Output'>;
export type SweepPhase = Answer<'SweepPhase'>;
export type SweepSpec = Answer<'SweepSpec-Output'>;
export type Trial = Omit<Answer<'Trial'>, 'steps'> & { steps: [step: number, value: Real][] };
export type TrialPage = Omit<Answer<'TrialPage'>, 'trials'> & { trials: Trial[] };
export type TrialState = Answer<'TrialState'>;

export interface Importance {
  evaluator: string;
  objective: number;
  trials: number;
  params: Record<string, number>;
}

export type SweepChange = Omit<Request<'SweepChange'>, 'limits'> & { limits?: Partial<SweepLimits> };
export type NewSweep = Omit<Request<'NewSweep'>, 'work' | 'sweep' | 'origin'> & {
  work_kind: RunKind;
  work: Partial<Schemas['RunSpec-Input']>;
  sweep: Partial<Schemas['SweepSpec-Input']>;
  origin?: Partial<Schemas['Origin-Input']>;
};

export type AutoML = Answer<'AutoML'>;
export type AutoMLBudget = Answer<'Budget'>;
export type AutoMLReport = Answer<'AutoMLReport'>;
export type AutoMLTask = Answer<'Task'>;
export type Candidate = Answer<'Candidate'>;
export type ColumnImportance = Answer<'ColumnImportance'>;
export type ColumnRole = Answer<'Role'>;
export type Dependence = Answer<'Dependence'>;
export type Explanation = Answer<'Explanation'>;
export type Margin = Answer<'Margin'>;
export type FamilyState = Answer<'FamilyState'>;
export type Finding = Answer<'Finding'>;
export type OnnxCheck = Answer<'OnnxCheck'>;
export type Partition = Answer<'Partition'>;
export type RowExplanation = Answer<'RowExplanation'>;
export type Severity = Answer<'Severity'>;
export type TableColumn = Answer<'Column'>;
export type TablePreview = Answer<'TablePreview'>;

type AutoMLParts = 'limits' | 'featurization' | 'training' | 'forecasting';
/** What an AutoML run is asked for; what is left out is as the server has it. */
export type AutoMLRequest = Pick<Schemas['AutoMLSpec-Input'], 'data' | 'target'> &
  Partial<Omit<Schemas['AutoMLSpec-Input'], AutoMLParts>> & {
    limits?: Request<'AutoMLLimits-Input'>;
    featurization?: Request<'Featurization-Input'>;
    training?: Request<'Training-Input'>;
    forecasting?: Request<'ForecastingSettings-Input'> &
      Pick<Schemas['ForecastingSettings-Input'], 'time_column_name'>;
  };
/** A table to look at; `automl` is what else a run would be asked for. */
export interface TableQuestion {
  data: string;
  target?: string;
  automl?: AutoMLRequest;
}
export type NewAutoML = Pick<Request<'NewAutoML'>, 'name' | 'experiment'> & { automl: AutoMLRequest };

/** What `listRuns` may be asked; `status` is `live`, `queued`, `done` or the name of a status. */
export interface RunsQuery {
  experiment_id?: string[];
  parent_run_id?: string | null;
  q?: string;
  filter?: string;
  status?: string;
  kind?: RunKind[];
  order_by?: string[];
  max_results?: number;
  page_token?: string | null;
}

const TERMINAL: ReadonlySet<RunStatus> = new Set<RunStatus>(['Completed', 'Failed', 'Canceled']);
const WAITING: ReadonlySet<RunStatus> = new Set<RunStatus>(['NotStarted', 'Queued']);

/** Whether a run has ended; an ended run never changes its status again. */
export function isEnded(status: RunStatus): boolean {
  return TERMINAL.has(status);
}

/** Whether a run waits for its turn. */
export function isWaiting(status: RunStatus): boolean {
  return WAITING.has(status);
}

/** Whether a run claims a living process. */
export function isLive(status: RunStatus): boolean {
  return !TERMINAL.has(status) && !WAITING.has(status);
}

/** Reads a number from the wire; `NaN` when there is none. */
export function toNumber(value: Real | null | undefined): number {
  return value === null || value === undefined ? NaN : Number(value);
}
