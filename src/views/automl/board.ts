/** The leaderboard as numbers: who leads, on which scale scores are drawn, how the best became better. */
import {
  type AutoML,
  type AutoMLReport,
  type Candidate,
  type Real,
  type Run,
  isEnded,
  toNumber
} from '../../api/types';

export interface AutoMLProps {
  automl: AutoML;
}

/** Reasons for which a candidate has no score though nothing is wrong with it. */
const GIVEN_UP: readonly string[] = ['stopped', 'the search ended'];

/** What a candidate is just now; one that was given up has no score, but did not fail. */
export function stateOf(
  candidate: Candidate,
  run: Pick<Run, 'status'>
): 'done' | 'failed' | 'given up' | 'live' | 'ended' {
  if (candidate.failed) {
    return candidate.folds.length > 0 || GIVEN_UP.includes(candidate.failed) ? 'given up' : 'failed';
  }
  if (candidate.score !== null) {
    return 'done';
  }
  return isEnded(run.status) ? 'ended' : 'live';
}

function better(a: number, b: number, goal: AutoMLReport['goal']): boolean {
  return goal === 'minimize' ? a < b : a > b;
}

/** The run's model, before there is one the best candidate so far. */
export function leaderOf(report: AutoMLReport): Candidate | null {
  const winner = report.leaderboard.find(one => one.number === report.winner);
  if (winner) {
    return winner;
  }
  let best: Candidate | null = null;
  for (const one of report.leaderboard) {
    const score = toNumber(one.score);
    if (
      !one.failed &&
      Number.isFinite(score) &&
      (!best || better(score, toNumber(best.score), report.goal))
    ) {
      best = one;
    }
  }
  return best;
}

/** Why the winner is not the model with the best score; null where it is. */
export function whyNotFirst({ leaderboard, winner, primary_metric: metric }: AutoMLReport): string | null {
  const place = leaderboard.findIndex(one => one.number === winner);
  if (place <= 0) {
    return null;
  }
  const above = leaderboard.slice(0, place);
  if (above.every(one => one.onnx?.ready === false)) {
    return 'What is above the winner has no ONNX form that answers the same.';
  }
  if (leaderboard[place]!.family === 'VotingEnsemble' && above.every(one => one.stage !== 'ensemble')) {
    return 'The best of many scores is partly luck: of few rows a vote of several models is trusted more.';
  }
  const few = metric === 'log_loss' ? ', and nothing is trusted for being sure of a few rows' : '';
  return `A better score alone does not win: an ensemble has to gain more than chance would${few}.`;
}

/** From where to where scores are drawn: few bad ones do not push the others together. */
export function scaleOf(report: AutoMLReport): [low: number, high: number] | null {
  const finite = (value: Real | null): boolean => Number.isFinite(toNumber(value));
  const done = report.leaderboard.filter(one => !one.failed && finite(one.score));
  if (done.length === 0) {
    return null;
  }
  const ends = (one: Candidate, value: Real | null): number => toNumber(finite(value) ? value : one.score);
  const sign = report.goal === 'minimize' ? -1 : 1;
  const worst = done.map(one => sign * ends(one, sign > 0 ? one.low : one.high)).sort((a, b) => a - b);
  const best = Math.max(...done.map(one => sign * ends(one, sign > 0 ? one.high : one.low)));
  const cut = worst[Math.floor(worst.length * 0.2)]!;
  const [a, b] = [sign * cut, sign * best];
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const pad = (high - low) * 0.04 || Math.abs(high) * 0.01 || 1;
  return [low - pad, high + pad];
}

/** Where a value stands on a scale, from 0 to 1; what is outside stands at the edge. */
export function placeOf(value: number, [low, high]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
}

/** Scores in the order in which candidates were tried, and the best until then. */
export function historyOf(report: AutoMLReport): {
  number: number[];
  score: number[];
  best: number[];
  family: string[];
} {
  const tried = report.leaderboard
    .filter(one => !one.failed && Number.isFinite(toNumber(one.score)))
    .sort((a, b) => a.number - b.number);
  const best: number[] = [];
  for (const one of tried) {
    const score = toNumber(one.score);
    const before = best.at(-1);
    best.push(before === undefined || better(score, before, report.goal) ? score : before);
  }
  return {
    number: tried.map(one => one.number),
    score: tried.map(one => toNumber(one.score)),
    best,
    family: tried.map(one => one.family)
  };
}

/** Members of an ensemble, the heaviest first. */
export function membersOf(
  candidate: Candidate,
  report: AutoMLReport
): { member: Candidate | null; name: string; weight: number }[] {
  return Object.entries(candidate.weights)
    .map(([number, weight]) => {
      const member = report.leaderboard.find(one => String(one.number) === number) ?? null;
      return { member, name: member ? member.family : `model ${number}`, weight };
    })
    .sort((a, b) => b.weight - a.weight);
}

const STAGES: Record<string, string> = {
  portfolio: 'known to be good',
  search: 'searched',
  ensemble: 'ensemble'
};

export function stageWord(stage: string): string {
  return STAGES[stage] ?? stage;
}

/** Whether it ended before any model was tried, because the table cannot be learnt from. */
export function isRefused(report: AutoMLReport, run: Pick<Run, 'status'>): boolean {
  return (
    isEnded(run.status) &&
    report.leaderboard.length === 0 &&
    report.partitions.length === 0 &&
    report.findings.some(one => one.severity === 'error')
  );
}

/** What the models answer: their metric's name, or what is known before it is chosen. */
export function metricOf({ spec, report }: AutoML): string {
  return report.primary_metric || spec.primary_metric || 'score';
}
