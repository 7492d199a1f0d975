/** Registered models: the list, one model with its versions, and the form that registers. */
export { deleteModelText, deleteVersionText } from './consequences';
export { VersionsComparison } from './comparison';
export { ModelsView } from './list';
export { ModelView } from './model';
export { RegisterFileForm } from './fileform';
export { RegisterForm } from './register';
