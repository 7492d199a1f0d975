/** What the wizard is filled in with, and the request that it makes of it. */
import type { AutoMLTask, NewAutoML, TablePreview, TableQuestion } from '../../api/types';
import { FAMILIES, METRICS } from './choices';

export const AGGREGATES = ['sum', 'mean', 'min', 'max'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** Every field as it is typed; empty where there is nothing. */
export interface Draft {
  data: string;
  target: string;
  task: AutoMLTask;
  metric: string;
  positive: string;
  weight: string;
  time: string;
  horizon: string;
  series: string[];
  /** How long a step is, such as D; empty where it is guessed. */
  frequency: string;
  /** What makes one value of all rows of a step. */
  aggregate: '' | Aggregate;
  /** Columns that nobody knows ahead. */
  unknown: string[];
  lags: boolean;
  partition: string[];
  /** Column -> type, where what is guessed would be wrong. */
  types: Record<string, string>;
  minutes: string;
  trials: string;
  parallel: string;
  memory: string;
  folds: string;
  /** Share of the rows that nobody looks at until the end. */
  test: string;
  /** Families that are not to be tried. */
  blocked: string[];
  onnx: boolean;
  ensembles: boolean;
  name: string;
  experiment: string;
}

export type DraftField = keyof Draft;

export function emptyDraft(data = ''): Draft {
  return {
    data,
    target: '',
    task: 'auto',
    metric: '',
    positive: '',
    weight: '',
    time: '',
    horizon: '1',
    series: [],
    frequency: '',
    aggregate: '',
    unknown: [],
    lags: false,
    partition: [],
    types: {},
    minutes: '5',
    trials: '',
    parallel: '1',
    memory: '',
    folds: '',
    test: '',
    blocked: [],
    onnx: true,
    ensembles: true,
    name: '',
    experiment: ''
  };
}

/** The same choices for another table: what names a column that is not there is forgotten. */
export function forTable(draft: Draft, table: TablePreview): Draft {
  const names = new Set(table.columns.map(column => column.name));
  const kept = (name: string): string => (names.has(name) ? name : '');
  return {
    ...draft,
    target: kept(draft.target) || kept(table.target),
    weight: kept(draft.weight),
    time: kept(draft.time) || (table.columns.find(one => one.role === 'datetime')?.name ?? ''),
    series: draft.series.filter(name => names.has(name)),
    unknown: draft.unknown.filter(name => names.has(name)),
    partition: draft.partition.filter(name => names.has(name)),
    types: Object.fromEntries(Object.entries(draft.types).filter(([name]) => names.has(name)))
  };
}

/** A change of the task forgets what belongs to another one. */
export function withTask(draft: Draft, task: AutoMLTask): Draft {
  return {
    ...draft,
    task,
    metric: METRICS[task].some(([name]) => name === draft.metric) ? draft.metric : '',
    blocked: draft.blocked.filter(name => FAMILIES[task].includes(name))
  };
}

export type Problems = Partial<Record<DraftField, string>>;

function count(text: string, least: number): number | null | undefined {
  if (text.trim() === '') {
    return null;
  }
  const value = Number(text);
  return Number.isInteger(value) && value >= least ? value : undefined;
}

/** What keeps the request from being sent, by field. */
export function problemsOf(draft: Draft): Problems {
  const problems: Problems = {};
  const minutes = Number(draft.minutes);
  if (!(minutes > 0 && Number.isFinite(minutes))) {
    problems.minutes = 'A number of minutes, such as 5.';
  }
  for (const [field, least] of [
    ['trials', 1],
    ['parallel', 1],
    ['folds', 2],
    ['horizon', 1]
  ] as const) {
    if (count(draft[field], least) === undefined) {
      problems[field] = `A whole number from ${least} on.`;
    }
  }
  if (draft.memory.trim() !== '' && !(Number(draft.memory) > 0)) {
    problems.memory = 'A number of gigabytes, such as 4.';
  }
  const test = Number(draft.test);
  if (draft.test.trim() !== '' && !(test > 0 && test < 1)) {
    problems.test = 'A share of the rows, such as 0.2.';
  }
  if (!draft.target) {
    problems.target = 'Choose the column to predict.';
  }
  if (draft.task === 'forecasting') {
    if (!draft.time) {
      problems.time = 'Choose the column with the time of each row.';
    } else if (draft.time === draft.target) {
      problems.time = 'The target cannot be the time.';
    }
    if (draft.aggregate && !draft.frequency.trim()) {
      problems.frequency = 'Say how long a step is, such as D for days.';
    }
  }
  if (draft.partition.includes(draft.target)) {
    problems.partition = 'The target cannot tell parts apart.';
  }
  if (FAMILIES[draft.task].every(name => draft.blocked.includes(name))) {
    problems.blocked = 'At least one is needed.';
  }
  return problems;
}

type Request = NewAutoML['automl'];

/** The settings of a forecast; only what was chosen is in them. */
function forecastOf(draft: Draft): NonNullable<Request['forecasting']> {
  const frequency = draft.frequency.trim();
  const others = new Set([draft.target, draft.time, ...draft.series]);
  const unknown = draft.unknown.filter(name => !others.has(name));
  return {
    time_column_name: draft.time,
    forecast_horizon: count(draft.horizon, 1) ?? 1,
    ...(draft.series.length > 0 ? { time_series_id_column_names: draft.series } : {}),
    ...(frequency ? { frequency } : {}),
    ...(frequency && draft.aggregate ? { target_aggregate_function: draft.aggregate } : {}),
    ...(draft.lags ? { feature_lags: 'auto' } : {}),
    ...(unknown.length > 0 ? { features_unknown_at_forecast_time: unknown } : {})
  };
}

/** What there is to know about the table itself. */
function ofTable(draft: Draft): Partial<Request> {
  const { task, types } = draft;
  const forecasts = task === 'forecasting';
  return {
    ...(task === 'auto' ? {} : { task }),
    ...(draft.weight && !forecasts ? { weight_column: draft.weight } : {}),
    ...(draft.positive.trim() && task !== 'regression' && !forecasts
      ? { positive_label: draft.positive.trim() }
      : {}),
    ...(Object.keys(types).length > 0
      ? { featurization: { mode: 'custom' as const, column_name_and_types: types } }
      : {}),
    ...(forecasts ? { forecasting: forecastOf(draft) } : {})
  };
}

/**
 * What to ask about a table: what a run would find in it.
 *
 * @param draft - As it is filled in; while no target is chosen, the server takes a likely one.
 * @param table - What is known of it already, so that a time which was guessed is asked about too.
 */
export function questionOf(draft: Draft, table: TablePreview | null): TableQuestion {
  const { data, target } = draft;
  const whole = table?.data === data ? forTable(draft, table) : draft;
  const asked = ofTable(whole);
  return {
    data,
    ...(target ? { target } : {}),
    ...(Object.keys(asked).length > 0 ? { automl: { data, target: whole.target, ...asked } } : {})
  };
}

/** The request; only what was chosen is in it, so that the rest is as the server has it. */
export function requestOf(draft: Draft): NewAutoML {
  const number = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text));
  const memory = number(draft.memory);
  const blocked = draft.blocked.length > 0;
  const training = {
    ...(blocked ? { blocked_training_algorithms: draft.blocked } : {}),
    ...(draft.onnx ? {} : { enable_onnx_compatible_models: false }),
    ...(draft.ensembles ? {} : { enable_vote_ensemble: false, enable_stack_ensemble: false })
  };
  const parallel = number(draft.parallel) ?? 1;
  const trials = number(draft.trials);
  const folds = number(draft.folds);
  const test = number(draft.test);
  return {
    ...(draft.name.trim() ? { name: draft.name.trim() } : {}),
    ...(draft.experiment.trim() ? { experiment: draft.experiment.trim() } : {}),
    automl: {
      data: draft.data,
      target: draft.target,
      ...(draft.metric ? { primary_metric: draft.metric } : {}),
      ...(folds === undefined ? {} : { n_cross_validations: folds }),
      ...(test === undefined ? {} : { test_data_size: test }),
      ...ofTable(draft),
      limits: {
        timeout_s: Number(draft.minutes) * 60,
        ...(trials === undefined ? {} : { max_trials: trials }),
        ...(parallel > 1 ? { max_concurrent_trials: parallel } : {}),
        ...(memory === undefined ? {} : { memory_bytes: Math.round(memory * 1e9) })
      },
      ...(Object.keys(training).length > 0 ? { training } : {}),
      ...(draft.partition.length > 0 ? { partition_by: draft.partition } : {})
    }
  };
}
