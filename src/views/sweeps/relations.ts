/** Plots of what depends on what: slices, rank, contour, Pareto front, hypervolume. */
import type { Trial } from '../../api/types';
import type { PlotlyObject } from '../../charts/plotly';
import type { IChartTheme } from '../../charts/theme';
import { formatNumber, formatPercent, plural } from '../common/format';
import { type SweepFigure, goodness, nameOf } from './figures';
import {
  BEST_COLOR,
  DOTS,
  type Spot,
  axisLook,
  dots,
  fewer,
  fewerNote,
  layoutLook,
  paramLook,
  shade,
  wholeAxis
} from './look';
import { asCosts, gridded, hypervolumeHistory, thinned } from './numbers';
import { type ParamAxis, type Study, valueOf } from './study';

/** Spreads dots on a word a little, always the same way, so that they do not cover each other. */
function jittered(axis: ParamAxis, trial: Trial): number | null {
  const place = axis.at(trial);
  return place === null || !axis.words ? place : place + (((trial.number * 0.618) % 1) - 0.5) * 0.5;
}

const SLICE_DOTS = 1000;
export const SLICE_HEIGHT = 190;

/** An objective over each parameter, a small plot for each. */
export function sliceFigure(
  study: Study,
  objective: number,
  params: readonly ParamAxis[],
  theme: IChartTheme,
  columns: number
): SweepFigure {
  const data: PlotlyObject[] = [];
  const owners: (readonly number[])[] = [];
  const rows = Math.max(1, Math.ceil(params.length / columns));
  const layout: Record<string, unknown> = {};
  const good = goodness(study, objective);
  let few = 1;
  const last = Math.max(1, study.trials.at(-1)?.number ?? 1);
  const [gapX, gapY] = [0.035, 62 / (rows * SLICE_HEIGHT)];
  params.forEach((axis, index) => {
    const suffix = index === 0 ? '' : String(index + 1);
    const [column, row] = [index % columns, Math.floor(index / columns)];
    const spots = study.complete.flatMap((trial): Spot[] => {
      const x = jittered(axis, trial);
      const color = trial.number === study.best ? { color: BEST_COLOR } : {};
      return x === null
        ? []
        : [{ trial: trial.number, x, y: valueOf(trial, objective)!, good: trial.number / last, ...color }];
    });
    const shown = fewer(spots, SLICE_DOTS, spot => (good.get(spot.trial) ?? 0) > 0.97);
    few = Math.min(few, shown.length / Math.max(1, spots.length));
    const drawn = dots(shown, theme, { xaxis: `x${suffix}`, yaxis: `y${suffix}` }, 6);
    data.push(...drawn.traces);
    owners.push(...drawn.owners);
    const width = (1 - gapX * (columns - 1)) / columns;
    const height = (1 - gapY * (rows - 1)) / rows;
    const bottom = 1 - row * (height + gapY) - height;
    layout[`xaxis${suffix}`] = paramLook(axis, theme, {
      domain: [column * (width + gapX), column * (width + gapX) + width],
      anchor: `y${suffix}`,
      automargin: false
    });
    layout[`yaxis${suffix}`] = axisLook(column === 0 ? nameOf(study, objective) : '', theme, {
      domain: [Math.max(0, bottom), Math.min(1, bottom + height)],
      anchor: `x${suffix}`,
      showticklabels: column === 0,
      ...(index === 0 ? {} : { matches: 'y' })
    });
  });
  return {
    data,
    owners,
    layout: layoutLook(theme, { ...layout, margin: { l: 58, r: 14, t: 8, b: 48 } }),
    places: trial =>
      valueOf(trial, objective) === null || trial.state !== 'COMPLETE'
        ? []
        : params.flatMap((axis, index) => {
            const x = jittered(axis, trial);
            const suffix = index === 0 ? '' : String(index + 1);
            return x === null
              ? []
              : [{ x, y: valueOf(trial, objective)!, xaxis: `xaxis${suffix}`, yaxis: `yaxis${suffix}` }];
          }),
    table: {
      columns: ['trial', ...params.map(axis => axis.name), nameOf(study, objective)],
      rows: study.complete.map(trial => [
        trial.number,
        ...params.map(axis => cell(axis, trial)),
        valueOf(trial, objective)
      ])
    },
    summary: `${nameOf(study, objective)} of ${plural(study.complete.length, 'trial')} over ${plural(params.length, 'parameter')}.`,
    note: few < 1 ? `stronger is later; ${formatPercent(few)} of the trials are drawn` : 'stronger is later'
  };
}

function cell(axis: ParamAxis, trial: Trial): number | string | null {
  const place = axis.at(trial);
  return place === null ? null : axis.words ? (axis.words[place] ?? null) : place;
}

/** Complete trials that have both parameters, as dots that are the stronger the better they are. */
function pairSpots(study: Study, objective: number, a: ParamAxis, b: ParamAxis): Spot[] {
  const good = goodness(study, objective);
  return study.complete.flatMap((trial): Spot[] => {
    const [x, y] = [jittered(a, trial), jittered(b, trial)];
    const color = trial.number === study.best ? { color: BEST_COLOR } : {};
    return x === null || y === null
      ? []
      : [{ trial: trial.number, x, y, good: good.get(trial.number) ?? 0, ...color }];
  });
}

function pairTable(study: Study, objective: number, a: ParamAxis, b: ParamAxis): SweepFigure['table'] {
  return {
    columns: ['trial', a.name, b.name, nameOf(study, objective)],
    rows: study.complete.map(trial => [
      trial.number,
      cell(a, trial),
      cell(b, trial),
      valueOf(trial, objective)
    ])
  };
}

function pairPlaces(a: ParamAxis, b: ParamAxis): SweepFigure['places'] {
  return trial => {
    const [x, y] = [jittered(a, trial), jittered(b, trial)];
    return x === null || y === null ? [] : [{ x, y }];
  };
}

/** Two parameters, and the rank of each trial's value as the strength of its dot. */
export function rankFigure(
  study: Study,
  objective: number,
  a: ParamAxis,
  b: ParamAxis,
  theme: IChartTheme
): SweepFigure {
  const spots = pairSpots(study, objective, a, b);
  const shown = fewer(spots, DOTS, spot => spot.good > 0.9);
  const drawn = dots(shown, theme, {}, 8);
  return {
    data: drawn.traces,
    owners: drawn.owners,
    layout: layoutLook(theme, { xaxis: paramLook(a, theme), yaxis: paramLook(b, theme) }),
    places: pairPlaces(a, b),
    table: pairTable(study, objective, a, b),
    summary: `${plural(spots.length, 'trial')} over ${a.name} and ${b.name}, by the rank of ${nameOf(study, objective)}.`,
    note: ['stronger is better', fewerNote(shown.length, spots.length)].filter(Boolean).join('; ')
  };
}

const CELLS = 36;
const SURFACE_POINTS = 800;

/** Two parameters, and the objective as heights between the trials. */
export function contourFigure(
  study: Study,
  objective: number,
  a: ParamAxis,
  b: ParamAxis,
  theme: IChartTheme
): SweepFigure {
  const rank = rankFigure(study, objective, a, b, theme);
  const known = study.complete.filter(trial => a.at(trial) !== null && b.at(trial) !== null);
  const kept = thinned(known.length, SURFACE_POINTS).map(at => known[at]!);
  const scale = (axis: ParamAxis): { to: (value: number) => number; ticks: number[]; unit: number[] } => {
    const project = (value: number): number => (axis.log ? Math.log10(value) : value);
    const values = known.map(trial => project(axis.at(trial)!));
    const low = values.reduce((m, v) => Math.min(m, v), Infinity);
    const high = values.reduce((m, v) => Math.max(m, v), -Infinity);
    const span = high - low || 1;
    const unit = Array.from({ length: CELLS }, (_, at) => at / (CELLS - 1));
    return {
      to: value => (project(value) - low) / span,
      unit,
      ticks: unit.map(part => (axis.log ? 10 ** (low + part * span) : low + part * span))
    };
  };
  if (kept.length < 3 || a.words || b.words) {
    return { ...rank, note: kept.length < 3 ? 'needs three complete trials' : 'no heights between words' };
  }
  const [sa, sb] = [scale(a), scale(b)];
  const z = gridded(
    {
      x: kept.map(trial => sa.to(a.at(trial)!)),
      y: kept.map(trial => sb.to(b.at(trial)!)),
      z: kept.map(trial => valueOf(trial, objective)!)
    },
    sa.unit,
    sb.unit
  );
  const up = study.objectives[objective]?.goal !== 'minimize';
  const colors = [0, 0.25, 0.5, 0.75, 1].map(part => [part, shade((up ? part : 1 - part) * 0.85, theme)]);
  const surface = {
    type: 'contour',
    x: sa.ticks,
    y: sb.ticks,
    z,
    colorscale: colors,
    ncontours: 12,
    line: { width: 0.5, color: theme.ground },
    contours: { coloring: 'heatmap' },
    hoverinfo: 'skip',
    colorbar: {
      thickness: 10,
      outlinewidth: 0,
      tickfont: { color: theme.faintText, size: theme.fontSize - 1 },
      nticks: 5
    }
  };
  const near = new Set(kept.map(trial => trial.number));
  const spots = pairSpots(study, objective, a, b).filter(spot => near.has(spot.trial));
  const few = dots(spots, theme, {}, 5);
  return {
    ...rank,
    data: [surface, ...few.traces],
    owners: [[], ...few.owners],
    note: `interpolated between ${plural(kept.length, 'trial')}`
  };
}

/** One objective over another; the front is marked. */
export function paretoFigure(study: Study, x: number, y: number, theme: IChartTheme): SweepFigure {
  const spots = study.complete.map((trial): Spot => {
    const front = study.front.has(trial.number);
    const color = front ? BEST_COLOR : shade(0.35, theme);
    return { trial: trial.number, x: valueOf(trial, x)!, y: valueOf(trial, y)!, good: 0, color };
  });
  // The front is drawn last, on top.
  spots.sort((one, other) => Number(study.front.has(one.trial)) - Number(study.front.has(other.trial)));
  const drawn = dots(
    fewer(spots, DOTS, spot => study.front.has(spot.trial)),
    theme,
    {},
    8
  );
  return {
    data: drawn.traces,
    owners: drawn.owners,
    layout: layoutLook(theme, {
      xaxis: axisLook(arrow(study, x), theme),
      yaxis: axisLook(arrow(study, y), theme)
    }),
    places: trial => {
      const [px, py] = [valueOf(trial, x), valueOf(trial, y)];
      return px === null || py === null ? [] : [{ x: px, y: py }];
    },
    table: {
      columns: ['trial', nameOf(study, x), nameOf(study, y), 'front'],
      rows: study.complete.map(trial => [
        trial.number,
        valueOf(trial, x),
        valueOf(trial, y),
        study.front.has(trial.number) ? 'yes' : ''
      ])
    },
    summary: `${plural(study.front.size, 'trial')} of ${study.complete.length} on the Pareto front.`,
    note: `${plural(study.front.size, 'trial')} on the front`
  };
}

function arrow(study: Study, objective: number): string {
  return `${nameOf(study, objective)} ${study.objectives[objective]?.goal === 'minimize' ? '↓' : '↑'}`;
}

const HYPERVOLUME_STEPS = 400;

/** How the volume that the front covers grew. */
export function hypervolumeFigure(study: Study, theme: IChartTheme): SweepFigure {
  const counted = study.complete.filter(trial => trial.feasible);
  const costs = asCosts(
    counted.map(trial => study.objectives.map((_, k) => valueOf(trial, k)!)),
    study.objectives.map(one => one.goal)
  );
  const { reference, history } = hypervolumeHistory(costs);
  const corners = history.map((_, at) => at).filter(at => at === 0 || history[at] !== history[at - 1]);
  const shown = thinned(corners.length, HYPERVOLUME_STEPS).map(at => corners[at]!);
  const end = history.length - 1;
  const places = shown.at(-1) === end || end < 0 ? shown : [...shown, end];
  const worst = reference.map((cost, k) =>
    formatNumber(study.objectives[k]?.goal === 'maximize' ? -cost : cost)
  );
  const at = new Map(counted.map((trial, index) => [trial.number, history[index]!]));
  return {
    data: [
      {
        type: 'scatter',
        mode: 'lines',
        x: places.map(place => counted[place]!.number),
        y: places.map(place => history[place]!),
        line: { shape: 'hv', width: 2, color: BEST_COLOR },
        hovertemplate: 'trial %{x}: %{y:.5~g}<extra></extra>'
      }
    ],
    owners: [places.map(place => counted[place]!.number)],
    layout: layoutLook(theme, {
      xaxis: wholeAxis('trial', theme, end < 0 ? 0 : counted[end]!.number, { rangemode: 'tozero' }),
      yaxis: axisLook('hypervolume', theme, { rangemode: 'tozero' })
    }),
    places: trial => (at.has(trial.number) ? [{ x: trial.number, y: at.get(trial.number)! }] : []),
    table: {
      columns: ['trial', 'hypervolume'],
      rows: counted.map((trial, index) => [trial.number, history[index]!])
    },
    summary: `The hypervolume is ${formatNumber(history.at(-1))}.`,
    ...(worst.length > 0 ? { note: `from the worst seen, ${worst.join(', ')}` } : {})
  };
}
