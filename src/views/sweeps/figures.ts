/** Plots of how a sweep went on: best so far, distribution, timeline, intermediate values, importance. */
import type { Importance, Trial } from '../../api/types';
import type { PlotlyObject } from '../../charts/plotly';
import type { ITable } from '../../charts/spec';
import { plotlyText } from '../../charts/text';
import type { IChartTheme } from '../../charts/theme';
import { formatNumber, grouped, plural } from '../common/format';
import {
  BEST_COLOR,
  DOTS,
  type Spot,
  axisLook,
  dots,
  fewer,
  fewerNote,
  layoutLook,
  shade,
  stateColor,
  wholeAxis
} from './look';
import { bestSoFar, edf, ranks, thinned } from './numbers';
import { type Study, isStopped, valueOf } from './study';

/** Where a trial is to be marked in a plot. */
export interface Place {
  x: number | string;
  y: number | string;
  xaxis?: string;
  yaxis?: string;
}

export interface SweepFigure {
  data: PlotlyObject[];
  layout: PlotlyObject;
  /** For each trace the trials of its points; empty for lines that belong to none. */
  owners: (readonly number[])[];
  places: (trial: Trial) => Place[];
  table: ITable;
  /** For those who do not see the plot. */
  summary: string;
  note?: string;
}

const STEPS = 2000;

export function nameOf(study: Study, objective: number): string {
  return study.objectives[objective]?.primary_metric ?? 'value';
}

const rated = new WeakMap<Study, Map<number, ReadonlyMap<number, number>>>();

/** How good each complete trial is by an objective, 0 to 1 by rank. All plots of a study ask, so it is kept. */
export function goodness(study: Study, objective: number): ReadonlyMap<number, number> {
  const known = rated.get(study) ?? new Map<number, ReadonlyMap<number, number>>();
  const good = known.get(objective) ?? rate(study, objective);
  rated.set(study, known.set(objective, good));
  return good;
}

function rate(study: Study, objective: number): ReadonlyMap<number, number> {
  const values = study.complete.map(trial => valueOf(trial, objective)!);
  const up = study.objectives[objective]?.goal !== 'minimize';
  return new Map(ranks(values).map((rank, index) => [study.complete[index]!.number, up ? rank : 1 - rank]));
}

/** Values by trial, and the best so far as steps. */
export function historyFigure(study: Study, objective: number, theme: IChartTheme): SweepFigure {
  const name = nameOf(study, objective);
  const goal = study.objectives[objective]?.goal ?? 'maximize';
  const shown = study.trials.filter(trial => trial.state === 'COMPLETE' || trial.state === 'PRUNED');
  const spots = shown.flatMap((trial): Spot[] => {
    const y = valueOf(trial, objective) ?? (objective === 0 ? lastStep(trial) : null);
    const plain = trial.state === 'COMPLETE' && trial.feasible;
    const color = plain ? shade(0.45, theme) : stateColor(plain ? 'COMPLETE' : 'PRUNED', theme);
    return y === null ? [] : [{ trial: trial.number, x: trial.number, y, good: 0.5, color }];
  });
  const counted = study.complete.filter(trial => trial.feasible);
  const best = bestSoFar(
    counted.map(trial => valueOf(trial, objective)),
    goal
  );
  const good = goodness(study, objective);
  const shownSpots = fewer(spots, DOTS, spot => (good.get(spot.trial) ?? 0) > 0.95);
  const drawn = dots(shownSpots, theme, {}, 6);
  const note = fewerNote(shownSpots.length, spots.length);
  const corners = counted.map((_, at) => at).filter(at => at === 0 || best[at] !== best[at - 1]);
  const end = study.trials.at(-1)?.number;
  const x = corners.map(at => counted[at]!.number);
  const y = corners.map(at => best[at] ?? null);
  if (x.length > 0 && end !== undefined) {
    x.push(end);
    y.push(y.at(-1) ?? null);
  }
  const line = {
    type: 'scatter',
    mode: 'lines',
    x,
    y,
    line: { color: BEST_COLOR, width: 2, shape: 'hv' },
    hoverinfo: 'skip'
  };
  return {
    data: [...drawn.traces, line],
    owners: [...drawn.owners, []],
    layout: layoutLook(theme, {
      xaxis: wholeAxis('trial', theme, end ?? 0),
      yaxis: axisLook(name, theme)
    }),
    places: trial => {
      const value = valueOf(trial, objective) ?? (objective === 0 ? lastStep(trial) : null);
      return value === null ? [] : [{ x: trial.number, y: value }];
    },
    table: {
      columns: ['trial', name, 'best so far'],
      rows: counted.map((trial, at) => [trial.number, valueOf(trial, objective), best[at] ?? null])
    },
    summary: `${name} of ${plural(counted.length, 'complete trial')}; the best is ${formatNumber(best.at(-1))}.`,
    ...(note ? { note } : {})
  };
}

function lastStep(trial: Trial): number | null {
  const value = Number(trial.steps.at(-1)?.[1] ?? NaN);
  return Number.isFinite(value) ? value : null;
}

/** Which share of the trials has at most each value. */
export function edfFigure(study: Study, objective: number, theme: IChartTheme): SweepFigure {
  const name = nameOf(study, objective);
  const { x, y } = edf(study.complete.map(trial => valueOf(trial, objective)!));
  const kept = thinned(x.length, STEPS);
  const first = x[0];
  const xs = first === undefined ? [] : [first, ...kept.map(at => x[at]!)];
  const ys = first === undefined ? [] : [0, ...kept.map(at => y[at]!)];
  const share = (value: number): number => {
    let [low, high] = [0, x.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      [low, high] = x[middle]! <= value ? [middle + 1, high] : [low, middle];
    }
    return low === 0 ? 0 : y[low - 1]!;
  };
  return {
    data: [
      {
        type: 'scatter',
        mode: 'lines',
        x: xs,
        y: ys,
        line: { shape: 'hv', width: 1.5, color: stateColor('COMPLETE', theme) },
        hovertemplate: '%{y:.1%} at most %{x:.5~g}<extra></extra>'
      }
    ],
    owners: [[]],
    layout: layoutLook(theme, {
      xaxis: axisLook(name, theme),
      yaxis: axisLook('share of trials', theme, { range: [0, 1.02], autorange: false, tickformat: '.0%' }),
      hovermode: 'x'
    }),
    places: trial => {
      const value = trial.state === 'COMPLETE' ? valueOf(trial, objective) : null;
      return value === null ? [] : [{ x: value, y: share(value) }];
    },
    table: { columns: [name, 'share'], rows: x.map((value, at) => [value, y[at]!]) },
    summary: `Half of ${plural(study.complete.length, 'trial')} have a ${name} of at most ${formatNumber(x[y.findIndex(one => one >= 0.5)])}.`
  };
}

/** The height that the bars share. */
const BARS_PX = 170;

/** When each trial ran, a bar from its start to its end, in the colour of what became of it. */
export function timelineFigure(study: Study, theme: IChartTheme, now: number): SweepFigure {
  const begun = study.trials.filter(trial => trial.started_at !== null);
  const iso = (trial: Trial): string => trial.ended_at ?? new Date(now).toISOString();
  const ends = [...new Set(begun.map(wordOfState))];
  const width = Math.min(9, Math.max(1.5, BARS_PX / Math.max(1, begun.length)));
  const groups = ends.map(word => begun.filter(trial => wordOfState(trial) === word));
  return {
    data: groups.map((group, index) => ({
      type: 'scatter',
      mode: 'lines',
      name: ends[index]!,
      showlegend: true,
      connectgaps: false,
      hoverinfo: 'none',
      x: group.flatMap(trial => [trial.started_at, iso(trial), null]),
      y: group.flatMap(trial => [trial.number, trial.number, null]),
      line: {
        color: isStopped(group[0]!) ? theme.faintText : stateColor(group[0]!.state, theme),
        width,
        simplify: false
      }
    })),
    owners: groups.map(group => group.flatMap(trial => [trial.number, trial.number, trial.number])),
    layout: layoutLook(theme, {
      xaxis: axisLook('', theme, { type: 'date' }),
      yaxis: wholeAxis('trial', theme, study.trials.at(-1)?.number ?? 0),
      showlegend: ends.length > 1,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { size: theme.fontSize - 1 } },
      margin: { l: 52, r: 14, t: ends.length > 1 ? 26 : 10, b: 30 }
    }),
    places: trial => (trial.started_at ? [{ x: iso(trial), y: trial.number }] : []),
    table: {
      columns: ['trial', 'state', 'started', 'ended'],
      rows: begun.map(trial => [trial.number, wordOfState(trial), trial.started_at, trial.ended_at])
    },
    summary: ends.map((word, at) => `${groups[at]!.length} ${word}`).join(', ')
  };
}

export const words: Record<Trial['state'], string> = {
  WAITING: 'waiting',
  RUNNING: 'running',
  COMPLETE: 'complete',
  PRUNED: 'pruned',
  FAIL: 'failed'
};

/** What became of a trial; one that somebody has stopped has not failed. */
export function wordOfState(trial: Trial): string {
  return isStopped(trial) ? 'stopped' : words[trial.state];
}

/** More lines than this cover one another. */
const BEST_LINES = 100;
const NEWEST_LINES = 300;

/** The values that each trial reported on its way. */
export function stepsFigure(study: Study, theme: IChartTheme): SweepFigure {
  const reported = study.trials.filter(trial => trial.steps.length > 0);
  const shown = linesShown(study, reported);
  const groups = (['COMPLETE', 'PRUNED', 'FAIL', 'RUNNING'] as const)
    .map(state => ({ state, trials: shown.filter(one => one.state === state && one.number !== study.best) }))
    .filter(group => group.trials.length > 0);
  const best = study.best === null ? undefined : study.byNumber.get(study.best);
  const trace = (trials: readonly Trial[], name: string, color: string, width: number): PlotlyObject => ({
    type: 'scatter',
    mode: trials.every(one => one.steps.length < 3) ? 'lines+markers' : 'lines',
    name,
    showlegend: true,
    connectgaps: false,
    hoverinfo: 'none',
    x: trials.flatMap(one => [...one.steps.map(([step]) => step), null]),
    y: trials.flatMap(one => [...one.steps.map(([, value]) => finite(value)), null]),
    line: { color, width },
    marker: { color, size: 4 },
    opacity: width > 1 ? 1 : trials.length > 60 ? 0.35 : 0.7
  });
  const owners = (trials: readonly Trial[]): number[] =>
    trials.flatMap(one => new Array<number>(one.steps.length + 1).fill(one.number));
  const light = best && best.steps.length > 0 ? [best] : [];
  return {
    data: [
      ...groups.map(({ state, trials }) => trace(trials, words[state], stateColor(state, theme), 1)),
      ...(light.length > 0 ? [trace(light, 'best', BEST_COLOR, 2.5)] : [])
    ],
    owners: [...groups.map(group => owners(group.trials)), ...(light.length > 0 ? [owners(light)] : [])],
    layout: layoutLook(theme, {
      xaxis: axisLook('step', theme),
      yaxis: axisLook(nameOf(study, 0), theme),
      showlegend: true,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { size: theme.fontSize - 1 } },
      margin: { l: 52, r: 14, t: 26, b: 44 }
    }),
    places: trial => {
      const last = trial.steps.at(-1);
      const value = last ? finite(last[1]) : null;
      return last && value !== null ? [{ x: last[0], y: value }] : [];
    },
    table: {
      columns: ['trial', 'step', nameOf(study, 0)],
      rows: shown.flatMap(one => one.steps.map(([step, value]) => [one.number, step, finite(value)]))
    },
    summary: `${plural(reported.length, 'trial')} reported values on the way.`,
    ...(shown.length < reported.length
      ? { note: `the best and the newest, ${shown.length} of ${grouped(reported.length)} trials` }
      : {})
  };
}

/** The best and the newest trials that reported values. */
function linesShown(study: Study, reported: readonly Trial[]): readonly Trial[] {
  if (reported.length <= BEST_LINES + NEWEST_LINES) {
    return reported;
  }
  const good = goodness(study, 0);
  const older = reported.slice(0, -NEWEST_LINES);
  const best = [...older].sort((a, b) => (good.get(b.number) ?? -1) - (good.get(a.number) ?? -1));
  return [...best.slice(0, BEST_LINES), ...reported.slice(-NEWEST_LINES)];
}

function finite(value: unknown): number | null {
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** How much each parameter matters, as the server worked it out. */
export function importanceFigure(importance: Importance, theme: IChartTheme): SweepFigure {
  const sorted = Object.entries(importance.params).sort((a, b) => a[1] - b[1]);
  return {
    data: [
      {
        type: 'bar',
        orientation: 'h',
        x: sorted.map(([, share]) => share),
        y: sorted.map((_, at) => at),
        marker: { color: stateColor('COMPLETE', theme) },
        text: sorted.map(([, share]) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`),
        textposition: 'auto',
        hoverinfo: 'none',
        cliponaxis: false
      }
    ],
    owners: [[]],
    layout: layoutLook(theme, {
      xaxis: axisLook('share of the variation', theme, { rangemode: 'tozero', tickformat: '.0%' }),
      yaxis: axisLook('', theme, {
        tickmode: 'array',
        tickvals: sorted.map((_, at) => at),
        ticktext: sorted.map(([name]) => plotlyText(name, 22))
      }),
      bargap: 0.3,
      margin: { l: 40, r: 40, t: 10, b: 44 }
    }),
    places: () => [],
    table: { columns: ['parameter', 'importance'], rows: [...sorted].reverse() },
    summary: [...sorted]
      .reverse()
      .map(([name, share]) => `${name} ${(share * 100).toFixed(1)} %`)
      .join(', ')
  };
}
