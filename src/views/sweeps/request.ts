/** What a form for a new sweep says, as a request. */
import { type NewSweep, type Run, type Space, type SweepGoal } from '../../api/types';
import { parseDistribution, suggestDistribution } from './space';

export const SAMPLERS = [
  ['tpe', 'TPE (Bayesian)'],
  ['random', 'random'],
  ['sobol', 'Sobol'],
  ['grid', 'grid'],
  ['gp', 'Gaussian process'],
  ['cmaes', 'CMA-ES'],
  ['nsgaii', 'NSGA-II']
] as const;

export const POLICIES = [
  ['none', 'none'],
  ['median_stopping', 'median stopping'],
  ['bandit', 'bandit, slack 20 %'],
  ['truncation_selection', 'truncation of the worst 25 %'],
  ['hyperband', 'Hyperband'],
  ['successive_halving', 'successive halving']
] as const;

/** One parameter of the run: whether it is varied, and how. */
export interface Row {
  name: string;
  value: unknown;
  vary: boolean;
  text: string;
}

export interface SweepFields {
  name: string;
  rows: Row[];
  /** Further parameters, `name = distribution` on a line each. */
  more: string;
  metric: string;
  goal: SweepGoal;
  trials: string;
  parallel: string;
  sampler: string;
  policy: string;
}

/** Metrics of which less is better, by their names. */
const COST = /loss|error|rmse|mse|mae|mape|perplexity|latency|regret/i;

/** What the form begins with: every number is varied around its value. */
export function firstFields(run: Run, primary: string | null, goal: SweepGoal | null): SweepFields {
  const typed = run.spec.params as Record<string, unknown>;
  const names = Object.keys(typed);
  const metrics = Object.keys(run.metrics).filter(name => !name.startsWith('system/'));
  const metric = primary !== null && metrics.includes(primary) ? primary : (metrics[0] ?? primary ?? '');
  return {
    name: `${run.name}-sweep`,
    rows: names.map(name => ({
      name,
      value: typed[name],
      vary: typeof typed[name] === 'number',
      text: suggestDistribution(typed[name])
    })),
    more: '',
    metric,
    goal: metric === primary && goal ? goal : COST.test(metric) ? 'minimize' : 'maximize',
    trials: '20',
    parallel: '2',
    sampler: 'tpe',
    policy: 'none'
  };
}

function reason(why: unknown): string {
  return why instanceof Error ? why.message : String(why);
}

function readMore(text: string, space: Space, problems: Record<string, string>): void {
  for (const [index, line] of text.split('\n').entries()) {
    const found = /^\s*([^=\s]+)\s*=\s*(.+)$/.exec(line);
    if (line.trim() === '') {
      continue;
    }
    if (!found) {
      problems['more'] = `Line ${index + 1} is not name = distribution.`;
      return;
    }
    try {
      space[found[1]!] = parseDistribution(found[2]!);
    } catch (why) {
      problems['more'] = `Line ${index + 1}: ${reason(why)}`;
      return;
    }
  }
}

function whole(text: string): boolean {
  return /^\d+$/.test(text.trim()) && Number(text) >= 1;
}

function termination(policy: string): NewSweep['sweep']['early_termination'] {
  const base = {
    policy,
    evaluation_interval: 1,
    delay_evaluation: 0,
    slack_factor: null,
    slack_amount: null,
    truncation_percentage: null
  };
  if (policy === 'bandit') {
    return { ...base, slack_factor: 0.2 };
  }
  return policy === 'truncation_selection' ? { ...base, truncation_percentage: 25 } : base;
}

/** The request, or null with what cannot be taken, by field (`param x` for a parameter). */
export function sweepRequest(
  run: Run,
  fields: SweepFields
): { value: NewSweep | null; problems: Record<string, string> } {
  const problems: Record<string, string> = {};
  const space: Space = {};
  for (const row of fields.rows.filter(one => one.vary)) {
    try {
      space[row.name] = parseDistribution(row.text);
    } catch (why) {
      problems[`param ${row.name}`] = reason(why);
    }
  }
  readMore(fields.more, space, problems);
  if (fields.metric.trim() === '') {
    problems['metric'] = 'Name the metric that the work logs or prints.';
  }
  for (const name of ['trials', 'parallel'] as const) {
    if (!whole(fields[name])) {
      problems[name] = 'A whole number from 1 on.';
    }
  }
  if (Object.keys(space).length === 0 && Object.keys(problems).length === 0) {
    problems['space'] = 'Choose at least one parameter to vary.';
  }
  if (Object.keys(problems).length > 0) {
    return { value: null, problems };
  }
  const params = Object.fromEntries(
    fields.rows.filter(row => !(row.name in space)).map(row => [row.name, row.value])
  );
  return { value: requestOf(run, fields, space, params), problems };
}

function requestOf(run: Run, fields: SweepFields, space: Space, params: Record<string, unknown>): NewSweep {
  const { spec } = run;
  return {
    ...(fields.name.trim() ? { name: fields.name.trim() } : {}),
    experiment: run.experiment,
    work_kind: run.kind,
    work: { ...spec, params, options: {} },
    origin: run.origin,
    sweep: {
      space,
      objectives: [{ primary_metric: fields.metric.trim(), goal: fields.goal, value: 'last' }],
      sampling: { algorithm: fields.sampler, seed: null },
      early_termination: termination(fields.policy),
      limits: {
        max_total_trials: Number(fields.trials),
        max_concurrent_trials: Number(fields.parallel),
        timeout_s: null,
        trial_timeout_s: null,
        exit_score: null,
        max_retries: 1
      }
    }
  };
}
