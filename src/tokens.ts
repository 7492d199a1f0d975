/** What other extensions, and every floor of this one, may use: the studio's token and its command ids. */
import { type ReadonlyPartialJSONObject, Token } from '@lumino/coreutils';
import type { StudioModel } from './models/studio';

/** The studio: its resources, the feed and the REST client. */
export type IStudio = StudioModel;

export const IStudio = new Token<IStudio>(
  'jupyter_mlstudio:IStudio',
  'The ML studio of this server: runs, experiments, models, endpoints and compute, kept fresh by one feed.'
);

/** Every button, menu item and shortcut calls one of these. */
export const CommandIDs = {
  openStudio: 'mlstudio:open-studio',
  openRun: 'mlstudio:open-run',
  openExperiment: 'mlstudio:open-experiment',
  openModels: 'mlstudio:open-models',
  openModel: 'mlstudio:open-model',
  openEndpoints: 'mlstudio:open-endpoints',
  openEndpoint: 'mlstudio:open-endpoint',
  openBatch: 'mlstudio:open-batch',
  openQuickstart: 'mlstudio:open-quickstart',
  openFile: 'mlstudio:open-file',
  compareRuns: 'mlstudio:compare-runs',
  submitFile: 'mlstudio:submit-file',
  submitNotebook: 'mlstudio:submit-notebook',
  stopRun: 'mlstudio:stop-run',
  retryRun: 'mlstudio:retry-run',
  renameRun: 'mlstudio:rename-run',
  deleteRun: 'mlstudio:delete-run',
  deleteArtifact: 'mlstudio:delete-artifact',
  sweepRun: 'mlstudio:sweep-run',
  pauseSweep: 'mlstudio:pause-sweep',
  resumeSweep: 'mlstudio:resume-sweep',
  continueSweep: 'mlstudio:continue-sweep',
  stopSweep: 'mlstudio:stop-sweep',
  changeSweep: 'mlstudio:change-sweep',
  tryPoint: 'mlstudio:try-point',
  stopTrial: 'mlstudio:stop-trial',
  copySweep: 'mlstudio:copy-sweep',
  sweepNotebook: 'mlstudio:sweep-notebook',
  newAutoML: 'mlstudio:new-automl',
  automlFile: 'mlstudio:automl-file',
  chooseTable: 'mlstudio:choose-table',
  listFrames: 'mlstudio:list-frames',
  saveFrame: 'mlstudio:save-frame',
  startAutoML: 'mlstudio:start-automl',
  stopAutoML: 'mlstudio:stop-automl',
  continueAutoML: 'mlstudio:continue-automl',
  explainRow: 'mlstudio:explain-row',
  automlNotebook: 'mlstudio:automl-notebook',
  copyAutoML: 'mlstudio:copy-automl',
  deployRun: 'mlstudio:deploy-run',
  newExperiment: 'mlstudio:new-experiment',
  editExperiment: 'mlstudio:edit-experiment',
  archiveExperiment: 'mlstudio:archive-experiment',
  registerModel: 'mlstudio:register-model',
  registerFile: 'mlstudio:register-file',
  describeModel: 'mlstudio:describe-model',
  describeVersion: 'mlstudio:describe-version',
  setAlias: 'mlstudio:set-alias',
  deleteAlias: 'mlstudio:delete-alias',
  deleteModel: 'mlstudio:delete-model',
  deleteVersion: 'mlstudio:delete-version',
  decideVersion: 'mlstudio:decide-version',
  setStage: 'mlstudio:set-stage',
  setThreshold: 'mlstudio:set-threshold',
  archiveVersion: 'mlstudio:archive-version',
  restoreVersion: 'mlstudio:restore-version',
  archiveModel: 'mlstudio:archive-model',
  restoreModel: 'mlstudio:restore-model',
  renameModel: 'mlstudio:rename-model',
  protectAliases: 'mlstudio:protect-aliases',
  packageVersion: 'mlstudio:package-version',
  downloadVersion: 'mlstudio:download-version',
  showCard: 'mlstudio:show-card',
  deriveVersion: 'mlstudio:derive-version',
  profileVersion: 'mlstudio:profile-version',
  compareVersions: 'mlstudio:compare-versions',
  deploy: 'mlstudio:deploy',
  stopEndpoint: 'mlstudio:stop-endpoint',
  restartEndpoint: 'mlstudio:restart-endpoint',
  regenerateKey: 'mlstudio:regenerate-key',
  scoreEndpoint: 'mlstudio:score-endpoint',
  describeEndpoint: 'mlstudio:describe-endpoint',
  deleteEndpoint: 'mlstudio:delete-endpoint',
  addDeployment: 'mlstudio:add-deployment',
  changeDeployment: 'mlstudio:change-deployment',
  setDeployment: 'mlstudio:set-deployment',
  restartDeployment: 'mlstudio:restart-deployment',
  removeDeployment: 'mlstudio:remove-deployment',
  shareTraffic: 'mlstudio:share-traffic',
  setStickyHeader: 'mlstudio:set-sticky-header',
  startCanary: 'mlstudio:start-canary',
  stopCanary: 'mlstudio:stop-canary',
  scoreBatch: 'mlstudio:score-batch',
  downloadAnswers: 'mlstudio:download-answers',
  addBatchDeployment: 'mlstudio:add-batch-deployment',
  changeBatch: 'mlstudio:change-batch-deployment',
  setDefaultBatch: 'mlstudio:set-default-batch',
  removeBatchDeployment: 'mlstudio:remove-batch-deployment',
  describeBatch: 'mlstudio:describe-batch',
  deleteBatch: 'mlstudio:delete-batch',
  setSlots: 'mlstudio:set-slots',
  copyText: 'mlstudio:copy-text',
  download: 'mlstudio:download',
  refresh: 'mlstudio:refresh'
} as const;

export type CommandID = (typeof CommandIDs)[keyof typeof CommandIDs];

/** How a view asks for something to be done. */
export type Execute = (command: string, args?: ReadonlyPartialJSONObject) => Promise<unknown>;

/** MIME type of the run card. */
export const RUN_MIME_TYPE = 'application/vnd.jupyter-mlstudio.run+json';
