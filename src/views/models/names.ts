/** What a registration is asked for, checked while typing, and the Python that does the same. */
import type { NewVersion, Run } from '../../api/types';

/** What the form holds, as it was typed. */
export interface RegisterFields {
  name: string;
  alias: string;
  path: string;
  tolerance: string;
}

const LONGEST_NAME = 128;
const NAME = /^[A-Za-z0-9][-A-Za-z0-9_. ]*$/;

/** Says what is wrong with a model's name; null when it may be used. */
export function modelNameError(name: string): string | null {
  if (name.trim() === '') {
    return 'A model needs a name.';
  }
  if (name.length > LONGEST_NAME) {
    return `The name has at most ${LONGEST_NAME} characters, not ${name.length}.`;
  }
  return NAME.test(name) ? null : 'The name has letters, digits, spaces, dots, dashes and underscores.';
}

/** Says what is wrong with an alias; none is needed. */
export function aliasError(alias: string): string | null {
  if (alias === '') {
    return null;
  }
  if (/^\d+$/.test(alias) || alias === 'latest') {
    return 'An alias is neither a number nor "latest": those stand for versions already.';
  }
  return /^[A-Za-z][-A-Za-z0-9_.]*$/.test(alias) && alias.length <= 64
    ? null
    : 'An alias begins with a letter and has letters, digits, dots, dashes and underscores.';
}

/** Says what is wrong with a tolerance; without one the studio's own holds. */
export function toleranceError(text: string): string | null {
  const tolerance = Number(text);
  return text.trim() === '' || (Number.isFinite(tolerance) && tolerance >= 0)
    ? null
    : 'A tolerance is a number of at least 0, such as 1e-4.';
}

/** The first thing that is wrong, or null. */
export function registerError(fields: RegisterFields): string | null {
  return modelNameError(fields.name) ?? aliasError(fields.alias) ?? toleranceError(fields.tolerance);
}

/** A model's name for a run: its experiment's, or its own where the experiment is the default one. */
export function suggestedModelName(run: Pick<Run, 'name' | 'experiment'>): string {
  const wanted = /^default$/i.test(run.experiment) ? run.name.replace(/-\d+$/, '') : run.experiment;
  const name = wanted
    .replace(/[^-A-Za-z0-9_. ]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, LONGEST_NAME);
  return modelNameError(name) === null ? name : 'model';
}

/** What is sent. */
export function registerRequest(runId: string, fields: RegisterFields): NewVersion {
  return {
    name: fields.name,
    run_id: runId,
    path: fields.path,
    ...(fields.alias === '' ? {} : { alias: fields.alias }),
    ...(fields.tolerance.trim() === '' ? {} : { tolerance: Number(fields.tolerance) })
  };
}

/** The line of Python that does the same. */
export function registerPython({ name, run_id: runId, path, alias, tolerance }: NewVersion): string {
  const options = [
    JSON.stringify(name),
    ...(path === undefined || path === 'model' ? [] : [`path=${JSON.stringify(path)}`]),
    ...(alias ? [`alias=${JSON.stringify(alias)}`] : []),
    ...(typeof tolerance === 'number' ? [`tolerance=${tolerance}`] : [])
  ];
  return `jupyter_mlstudio.get_run(${JSON.stringify(runId)}).register(${options.join(', ')})`;
}
