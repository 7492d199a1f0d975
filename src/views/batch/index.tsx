/** Batch endpoints: one with its jobs, the form that scores a data set, the form of a deployment. */
export { BatchDeploymentForm } from './deploymentform';
export { ScoreForm } from './scoreform';
export { BatchView } from './view';
