/** What a registration is asked for, checked while typing, and the Python that does the same. */
import type { NewVersion, Run } from '../../api/types';

/** What the form holds, as it was typed. */
export interface RegisterFields {
  name: string;
  alias: string;
  path: string;
  tolerance: string;
  /** Decision threshold of a binary classifier. */
  threshold?: string;
  /** The class that it is about; empty is the one that the run looked for. */
  positive?: string;
}

const LONGEST_NAME = 128;
const LONGEST_ALIAS = 64;
/** Characters that cannot be seen: control, format, surrogate, private, unassigned, line and paragraph separators. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

function textError(text: string, what: string, longest: number): string | null {
  if (text.length > longest) {
    return `${what} has at most ${longest} characters, not ${text.length}.`;
  }
  if (text !== text.trim()) {
    return `${what} has no space at its beginning or end.`;
  }
  if (/[/\\]/.test(text) || text === '.' || text === '..') {
    return `${what} has no slashes and is not just dots.`;
  }
  return HIDDEN.test(text) ? `${what} holds a character that cannot be seen.` : null;
}

/** Says what is wrong with a model's name; null when it may be used. */
export function modelNameError(name: string): string | null {
  return name.trim() === '' ? 'A model needs a name.' : textError(name, 'The name', LONGEST_NAME);
}

/** Says what is wrong with an alias; none is needed. */
export function aliasError(alias: string): string | null {
  if (alias === '') {
    return null;
  }
  if (/^(latest|v?\d+)$/i.test(alias)) {
    return 'An alias is neither "latest" nor a number: those stand for versions already.';
  }
  return /^[\p{L}\p{N}_]/u.test(alias)
    ? textError(alias, 'An alias', LONGEST_ALIAS)
    : 'An alias begins with a letter, a digit or an underscore.';
}

/** Says what is wrong with a tolerance; without one the studio's own holds. */
export function toleranceError(text: string): string | null {
  const tolerance = Number(text);
  return text.trim() === '' || (Number.isFinite(tolerance) && tolerance >= 0)
    ? null
    : 'A tolerance is a number of at least 0, such as 1e-4.';
}

/** Says what is wrong with a decision threshold; without one the model's own 0.5 holds. */
export function thresholdError(text: string): string | null {
  const threshold = Number(text);
  return text.trim() === '' || (threshold > 0 && threshold < 1)
    ? null
    : 'A threshold lies between 0 and 1, such as 0.37.';
}

/** The first thing that is wrong, or null. */
export function registerError(fields: RegisterFields): string | null {
  return (
    modelNameError(fields.name) ??
    aliasError(fields.alias) ??
    toleranceError(fields.tolerance) ??
    thresholdError(fields.threshold ?? '')
  );
}

/** A model's name for a run: its experiment's, or its own where the experiment is the default one. */
export function suggestedModelName(run: Pick<Run, 'name' | 'experiment'>): string {
  const wanted = /^default$/i.test(run.experiment) ? run.name.replace(/-\d+$/, '') : run.experiment;
  const name = wanted
    .replace(/[/\\]+/g, '-')
    .slice(0, LONGEST_NAME)
    .trim();
  return modelNameError(name) === null ? name : 'model';
}

/** What is sent. */
export function registerRequest(runId: string, fields: RegisterFields): NewVersion {
  return {
    name: fields.name,
    run_id: runId,
    path: fields.path,
    ...(fields.alias === '' ? {} : { alias: fields.alias }),
    ...(fields.tolerance.trim() === '' ? {} : { tolerance: Number(fields.tolerance) }),
    ...((fields.threshold ?? '').trim() === ''
      ? {}
      : {
          threshold: Number(fields.threshold),
          ...(fields.positive ? { positive_label: fields.positive } : {})
        })
  };
}

/** The line of Python that does the same. */
export function registerPython({
  name,
  run_id: runId,
  path,
  alias,
  tolerance,
  threshold,
  positive_label: positive
}: NewVersion): string {
  const options = [
    JSON.stringify(name),
    ...(path === undefined || path === 'model' ? [] : [`path=${JSON.stringify(path)}`]),
    ...(alias ? [`alias=${JSON.stringify(alias)}`] : []),
    ...(typeof tolerance === 'number' ? [`tolerance=${tolerance}`] : []),
    ...(typeof threshold === 'number' ? [`threshold=${threshold}`] : []),
    ...(positive ? [`positive_label=${JSON.stringify(positive)}`] : [])
  ];
  return `jupyter_mlstudio.get_run(${JSON.stringify(runId)}).register(${options.join(', ')})`;
}
