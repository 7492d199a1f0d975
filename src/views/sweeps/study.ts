/** A sweep's trials as the plots need them: numbers, axes, and which trials count. */
import {
  type Distribution,
  type Objective,
  type Space,
  type Sweep,
  type Trial,
  toNumber
} from '../../api/types';
import { isBetter } from './numbers';

/** One parameter as an axis. */
export interface ParamAxis {
  name: string;
  /** The words of a parameter that is not a number, in the order of their places. */
  words: string[] | null;
  log: boolean;
  /** Where a trial stands: a number, the place of a word, null when the trial has no such parameter. */
  at: (trial: Trial) => number | null;
}

export interface Study {
  objectives: readonly Objective[];
  trials: readonly Trial[];
  /** Complete trials with a finite value for each objective. */
  complete: readonly Trial[];
  params: readonly ParamAxis[];
  best: number | null;
  front: ReadonlySet<number>;
  byNumber: ReadonlyMap<number, Trial>;
}

/** A trial's value for an objective; null when there is none that is a finite number. */
export function valueOf(trial: Trial, objective = 0): number | null {
  const value = toNumber(trial.values[objective]);
  return Number.isFinite(value) ? value : null;
}

const LOG_TYPES = new Set(['loguniform', 'qloguniform', 'lognormal', 'qlognormal']);

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The distributions of a space, those within choices as well, by parameter. */
export function flattened(space: Space): Map<string, Distribution> {
  const found = new Map<string, Distribution>();
  const walk = (name: string, distribution: Distribution): void => {
    found.set(name, distribution);
    const values = distribution['values'];
    for (const value of Array.isArray(values) ? values : []) {
      for (const [inner, one] of Object.entries(isPlain(value) ? value : {})) {
        if (isPlain(one) && typeof one['type'] === 'string') {
          walk(inner, one);
        }
      }
    }
  };
  for (const [name, distribution] of Object.entries(space)) {
    walk(name, distribution);
  }
  return found;
}

export function isLog(distribution: Distribution | undefined): boolean {
  return (
    distribution !== undefined &&
    (LOG_TYPES.has(String(distribution['type'])) || distribution['log'] === true)
  );
}

/** A parameter's value as a word of an axis. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function axisOf(name: string, distribution: Distribution | undefined, trials: readonly Trial[]): ParamAxis {
  const values = trials.map(trial => trial.params[name]).filter(value => value !== undefined);
  const numbers = values.filter((value): value is number => typeof value === 'number');
  const choice = distribution?.['type'] === 'choice';
  const declared = choice && Array.isArray(distribution['values']) ? distribution['values'] : [];
  const words = choice || numbers.length < values.length;
  if (words && !(choice && declared.length > 0 && declared.every(value => typeof value === 'number'))) {
    const order = [...new Set([...declared.filter(value => !isPlain(value)), ...values].map(wordOf))];
    const places = new Map(order.map((word, place) => [word, place]));
    return {
      name,
      words: order,
      log: false,
      at: trial => {
        const value = trial.params[name];
        return value === undefined ? null : (places.get(wordOf(value)) ?? null);
      }
    };
  }
  return {
    name,
    words: null,
    log: isLog(distribution) && numbers.every(value => value > 0),
    at: trial => {
      const value = trial.params[name];
      return typeof value === 'number' && Number.isFinite(value) ? value : null;
    }
  };
}

/** Gathers what the plots need; made again when trials changed. */
export function studyOf(sweep: Sweep, trials: readonly Trial[]): Study {
  const objectives = sweep.spec.objectives;
  const space = flattened({ ...sweep.spec.space, ...sweep.control.space });
  const names = new Set(space.keys());
  for (const trial of trials) {
    for (const name of Object.keys(trial.params)) {
      names.add(name);
    }
  }
  const complete = trials.filter(
    trial =>
      trial.state === 'COMPLETE' && objectives.every((_, objective) => valueOf(trial, objective) !== null)
  );
  return {
    objectives,
    trials,
    complete,
    params: [...names].map(name => axisOf(name, space.get(name), trials)),
    best: bestOf(objectives, complete),
    front: new Set(sweep.front),
    byNumber: new Map(trials.map(trial => [trial.number, trial]))
  };
}

/** The number of the best feasible trial by the first objective, the first of equals. */
export function bestOf(objectives: readonly Objective[], complete: readonly Trial[]): number | null {
  const goal = objectives[0]?.goal ?? 'maximize';
  let best: Trial | null = null;
  for (const trial of complete) {
    if (trial.feasible && (best === null || isBetter(valueOf(trial)!, valueOf(best)!, goal))) {
      best = trial;
    }
  }
  return best?.number ?? null;
}

/** Whether somebody has stopped a trial; it is no fault of its own that it did not complete. */
export function isStopped(trial: Trial): boolean {
  return trial.state === 'FAIL' && /^stopped\b/.test(trial.reason);
}
