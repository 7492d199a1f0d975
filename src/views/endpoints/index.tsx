/** Endpoints: the list, one endpoint with its charts and "Try it", the form that deploys, and what actions do. */
export { deleteText, regenerateText, restartText, stopText } from './consequences';
export { CanaryForm } from './canary';
export { DeployForm } from './deploy';
export { DeploymentForm } from './versionform';
export { EndpointView } from './endpoint';
export { KeyForm } from './keyform';
export { IssuedKeys } from './keys';
export { EndpointsView } from './list';
export { DeploymentSettingsForm } from './settingsform';
export { headerError } from './sticky';
