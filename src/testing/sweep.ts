/** For tests: a sweep and its trials as the server would tell of them. */
import type { Sweep, Trial } from '../api/types';
import { someRun } from './run';

const LIMITS = {
  max_total_trials: 10,
  max_concurrent_trials: 2,
  timeout_s: null,
  trial_timeout_s: null,
  exit_score: null,
  max_retries: 1
};

const SPACE = {
  lr: { type: 'float', low: 0.001, high: 0.1, log: true },
  depth: { type: 'int', low: 2, high: 12 },
  act: { type: 'choice', values: ['relu', 'tanh'] }
};

/** A complete trial of that number, with what a test says differently. */
export function someTrial(number: number, more: Partial<Trial> = {}): Trial {
  return {
    number,
    run_id: `t${number}`,
    state: 'COMPLETE',
    params: { lr: 0.001 * (number + 1), depth: 2 + (number % 10), act: number % 2 ? 'tanh' : 'relu' },
    values: [number / 10],
    steps: [],
    feasible: true,
    retried: false,
    started_at: '2026-11-21T02:00:00Z',
    ended_at: '2026-11-21T02:00:12Z',
    reason: '',
    ...more
  };
}

/** A sweep that goes on, with what a test says differently. */
export function someSweep(more: Partial<Sweep> = {}): Sweep {
  return {
    run_id: 'r1',
    name: 'forest',
    experiment: 'churn',
    status: 'Running',
    phase: 'Running',
    spec: {
      space: SPACE,
      objectives: [{ primary_metric: 'val_auc', goal: 'maximize', value: 'last' }],
      sampling: { algorithm: 'tpe', seed: null, options: {} },
      early_termination: {
        policy: 'none',
        evaluation_interval: 1,
        delay_evaluation: 0,
        slack_factor: null,
        slack_amount: null,
        truncation_percentage: null,
        options: {}
      },
      limits: LIMITS,
      constraints: [],
      fixed: {},
      enqueued: [],
      repeats: 1,
      warm_start: [],
      function: false
    },
    work: someRun().spec,
    work_kind: 'cell',
    control: { paused: false, stop: false, limits: LIMITS, space: SPACE, points: [], stopped: [], etag: 1 },
    counts: {},
    best: null,
    front: [],
    lead: { low: null, high: null, runner_up: null, within_noise: false, note: '' },
    resume_from: null,
    ...more
  };
}
