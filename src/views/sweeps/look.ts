/** How trials look in every plot: colours by how good they are, axes in the theme, many points in few elements. */
import { axisBase } from '../../charts/figure';
import type { IChartTheme } from '../../charts/theme';
import type { PlotlyObject } from '../../charts/plotly';
import { plotlyText } from '../../charts/text';
import type { TrialState } from '../../api/types';
import { grouped } from '../common/format';
import { thinned } from './numbers';
import type { ParamAxis } from './study';

/** Up to this many points are elements of their own; more are drawn as a few paths, which stays quick. */
export const FEW = 500;
const SHADES = 6;
/** More dots than this cover one another. */
export const DOTS = 2400;

/** The best trial's colour in every plot, told apart from the shades with every kind of colour vision. */
export const BEST_COLOR = '#e69f00';
export const PRUNED_COLOR = '#cc79a7';
export const FAIL_COLOR = '#d55e00';

/** How good a trial is, from 0 (pale) to 1 (strong), as a colour on the theme's ground. */
export function shade(good: number, theme: IChartTheme): string {
  const [from, to] = theme.light
    ? [
        [198, 214, 229],
        [8, 48, 107]
      ]
    : [
        [62, 78, 97],
        [158, 216, 255]
      ];
  const part = Math.min(1, Math.max(0, good));
  const [r, g, b] = from!.map((low, k) => Math.round(low + part * (to![k]! - low)));
  return `rgb(${r}, ${g}, ${b})`;
}

export function stateColor(state: TrialState, theme: IChartTheme): string {
  return {
    COMPLETE: theme.light ? '#0072b2' : '#56b4e9',
    PRUNED: PRUNED_COLOR,
    FAIL: FAIL_COLOR,
    RUNNING: '#009e73',
    WAITING: theme.faintText
  }[state];
}

/** A trial's place in a plot. */
export interface Spot {
  trial: number;
  x: number | string;
  y: number;
  /** 0 to 1, see `shade`. */
  good: number;
  color?: string;
}

export interface Drawn {
  traces: PlotlyObject[];
  /** For each trace the trials of its points. */
  owners: (readonly number[])[];
}

/** Of too many dots the best, and the others evenly; `kept` tells which are drawn whatever they are. */
export function fewer(spots: readonly Spot[], count: number, kept: (spot: Spot) => boolean): readonly Spot[] {
  if (spots.length <= count) {
    return spots;
  }
  const sure = spots.filter(kept).slice(0, count);
  const others = spots.filter(spot => !kept(spot));
  const evenly = thinned(others.length, count - sure.length).map(at => others[at]!);
  return [...evenly, ...sure];
}

/** Says that not all dots are drawn. */
export function fewerNote(drawn: number, all: number): string {
  return drawn < all ? `${grouped(drawn)} of ${grouped(all)} are drawn` : '';
}

/** Draws trials as dots. Many are lines of no length with round ends, a path for each shade. */
export function dots(spots: readonly Spot[], theme: IChartTheme, axes: PlotlyObject = {}, size = 7): Drawn {
  const base = { type: 'scatter', hoverinfo: 'none', showlegend: false, ...axes };
  if (spots.length <= FEW) {
    const color = spots.map(spot => spot.color ?? shade(spot.good, theme));
    const marker = { color, size, line: { width: 0.5, color: theme.ground } };
    return {
      traces: [{ ...base, mode: 'markers', x: spots.map(one => one.x), y: spots.map(one => one.y), marker }],
      owners: [spots.map(spot => spot.trial)]
    };
  }
  const groups = new Map<string, Spot[]>();
  for (const spot of spots) {
    const color = spot.color ?? shade(Math.floor(spot.good * (SHADES - 0.001)) / (SHADES - 1), theme);
    const group = groups.get(color);
    if (group) {
      group.push(spot);
    } else {
      groups.set(color, [spot]);
    }
  }
  const drawn: Drawn = { traces: [], owners: [] };
  const width = Math.min(size, 5);
  for (const [color, group] of groups) {
    const line = { color, width, simplify: false };
    const [x, y, owners]: [(number | string | null)[], (number | null)[], number[]] = [[], [], []];
    for (const spot of group) {
      x.push(spot.x, spot.x, null);
      y.push(spot.y, spot.y, null);
      owners.push(spot.trial, spot.trial, spot.trial);
    }
    drawn.traces.push({ ...base, mode: 'lines', connectgaps: false, x, y, line });
    drawn.owners.push(owners);
  }
  // Lines leave no room at the edges of a plot; dots do, and these are not seen.
  const edges = edgesOf(spots);
  drawn.traces.push({
    ...base,
    mode: 'markers',
    hoverinfo: 'skip',
    x: edges.map(spot => spot.x),
    y: edges.map(spot => spot.y),
    marker: { opacity: 0, size }
  });
  drawn.owners.push([]);
  return drawn;
}

function edgesOf(spots: readonly Spot[]): Spot[] {
  const pick = (of: (spot: Spot) => number, sign: number): Spot =>
    spots.reduce((best, spot) => (sign * of(spot) > sign * of(best) ? spot : best));
  const [x, y] = [(spot: Spot) => Number(spot.x), (spot: Spot) => spot.y];
  return [pick(x, 1), pick(x, -1), pick(y, 1), pick(y, -1)];
}

/** An axis in the theme's colours. */
export function axisLook(title: string, theme: IChartTheme, more: PlotlyObject = {}): PlotlyObject {
  return {
    ...axisBase(plotlyText(title, 30), 6, theme),
    exponentformat: 'power',
    autorange: true,
    ...more
  };
}

/** An axis of whole numbers up to one: few of them have a tick each, where Plotly would put halves between. */
export function wholeAxis(
  title: string,
  theme: IChartTheme,
  last: number,
  more: PlotlyObject = {}
): PlotlyObject {
  return axisLook(title, theme, { ...(last <= 10 ? { dtick: 1 } : {}), ...more });
}

const WORD_CHARS = 16;
const WORD_TICKS = 24;

/** The axis of a parameter: its scale, and its words as ticks. */
export function paramLook(axis: ParamAxis, theme: IChartTheme, more: PlotlyObject = {}): PlotlyObject {
  if (axis.words) {
    const shown = axis.words.slice(0, WORD_TICKS);
    return axisLook(axis.name, theme, {
      tickmode: 'array',
      tickvals: shown.map((_, place) => place),
      ticktext: shown.map(word => plotlyText(word, WORD_CHARS)),
      range: [-0.5, axis.words.length - 0.5],
      autorange: false,
      ...more
    });
  }
  return axisLook(axis.name, theme, { type: axis.log ? 'log' : 'linear', nticks: 5, ...more });
}

/** What every plot's layout has in common. */
export function layoutLook(theme: IChartTheme, more: PlotlyObject): PlotlyObject {
  return {
    margin: { l: 52, r: 14, t: 10, b: 44 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: theme.fontFamily, size: theme.fontSize, color: theme.text },
    hovermode: 'closest',
    hoverdistance: 12,
    showlegend: false,
    dragmode: 'zoom',
    ...more
  };
}
