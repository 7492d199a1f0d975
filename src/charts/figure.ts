/** Turns what a chart says into plotly's figure, in the studio's look. */

import { tint } from './palette';
import type { IPlotlyFigure, PlotlyObject } from './plotly';
import { extent, lonePointSizes } from './series';
import type { IAxis, IChartSpec, ISeries } from './spec';
import { axisTitle } from './spec';
import { plotlyText } from './text';
import type { IChartTheme } from './theme';

/** Up to this many series have their names at the ends of their lines; more get a legend. */
export const DIRECT_LABELS = 6;
const NARROW_PX = 420;
const LABEL_PX = 13;
const LABEL_CHARS = 26;
const AXIS_CHARS = 34;

export interface IFigureSize {
  width: number;
  height: number;
}

function traceOf(series: ISeries, legend: boolean, dateless: string): PlotlyObject {
  const base: PlotlyObject = {
    name: plotlyText(series.label ?? series.name),
    x: series.x,
    y: series.y,
    showlegend: legend && !series.faint,
    hovertemplate: series.texts ? '%{text}<extra></extra>' : dateless
  };
  if (series.texts) {
    base['text'] = series.texts.map(text => plotlyText(text, 160));
  }
  if (series.faint) {
    Object.assign(base, { hoverinfo: 'skip', hovertemplate: null });
  }
  if (series.kind === 'bars') {
    return {
      ...base,
      type: 'bar',
      marker: { color: series.color },
      ...(series.widths ? { width: series.widths } : {})
    };
  }
  if (series.kind === 'points') {
    const size = series.colors ? 10 : series.x.length > 500 ? 4 : 6;
    const color = series.colors ?? tint(series.color, 0.65);
    return { ...base, type: 'scatter', mode: 'markers', marker: { color, size } };
  }
  const lone = lonePointSizes(series.y, 5);
  return {
    ...base,
    type: 'scatter',
    mode: lone ? 'lines+markers' : 'lines',
    connectgaps: false,
    line: {
      color: series.faint ? tint(series.color, 0.3) : series.color,
      width: series.faint ? 1 : 1.5,
      dash: series.dash ?? 'solid',
      shape: series.kind === 'steps' ? 'hv' : 'linear'
    },
    ...(lone ? { marker: { color: series.color, size: lone, line: { width: 0 } } } : {})
  };
}

function bandOf(series: ISeries): PlotlyObject[] {
  if (!series.band) {
    return [];
  }
  const edge = {
    x: series.x,
    type: 'scatter',
    mode: 'lines',
    line: { width: 0 },
    hoverinfo: 'skip',
    showlegend: false
  };
  return [
    { ...edge, y: series.band.low },
    { ...edge, y: series.band.high, fill: 'tonexty', fillcolor: tint(series.color, 0.15) }
  ];
}

/** Moves labels apart that would cover each other; the answer is each label's shift upwards in pixels. */
export function spreadLabels(positionsPx: readonly number[], gapPx: number): number[] {
  const order = positionsPx.map((_, index) => index).sort((a, b) => positionsPx[a]! - positionsPx[b]!);
  const placed = [...positionsPx];
  for (let i = 1; i < order.length; i++) {
    placed[order[i]!] = Math.max(placed[order[i]!]!, placed[order[i - 1]!]! + gapPx);
  }
  const overflow = order.length ? placed[order.at(-1)!]! - positionsPx[order.at(-1)!]! : 0;
  return placed.map((place, index) => place - positionsPx[index]! - overflow / 2);
}

function lastDrawn(series: ISeries): number | null {
  for (let i = series.y.length - 1; i >= 0; i--) {
    if (series.y[i] !== null && series.y[i] !== undefined) {
      return series.y[i]!;
    }
  }
  return null;
}

function directLabels(spec: IChartSpec, theme: IChartTheme, heightPx: number): PlotlyObject[] {
  const project = (value: number): number => (spec.y.log ? Math.log10(value) : value);
  const named = spec.series
    .filter(series => !series.faint)
    .map(series => ({ series, last: lastDrawn(series) }))
    .filter(
      (one): one is { series: ISeries; last: number } => one.last !== null && (!spec.y.log || one.last > 0)
    );
  const span = spec.y.range ?? extent(spec.series.flatMap(series => series.y.filter(y => y !== null)));
  const low = span ? project(Math.max(span[0], spec.y.log ? Number.MIN_VALUE : -Infinity)) : 0;
  const high = span ? project(span[1]) : 1;
  const places = named.map(one => ((project(one.last) - low) / (high - low || 1)) * heightPx);
  const shifts = spreadLabels(places, LABEL_PX);
  return named.map(({ series, last }, index) => ({
    xref: 'paper',
    x: 1,
    xanchor: 'left',
    xshift: 5,
    yref: 'y',
    y: project(last),
    yshift: shifts[index],
    // The colour stands in a dot, so that the text keeps its contrast.
    text: `<span style="color:${series.color}">●</span> ${plotlyText(series.label ?? series.name, LABEL_CHARS)}`,
    showarrow: false,
    font: { color: theme.text, size: theme.fontSize - 1 }
  }));
}

/** How any axis looks: its title (text that Plotly takes), lines and numbers in the theme's colours. */
export function axisBase(title: string, standoff: number, theme: IChartTheme): PlotlyObject {
  return {
    title: { text: title, standoff, font: { size: theme.fontSize, color: theme.faintText } },
    gridcolor: theme.grid,
    gridwidth: 0.5,
    linecolor: theme.line,
    tickcolor: theme.line,
    tickfont: { color: theme.faintText, size: theme.fontSize - 1 },
    zeroline: false,
    automargin: true,
    minexponent: 4
  };
}

function axisOf(axis: IAxis, theme: IChartTheme, exponent: 'SI' | 'power'): PlotlyObject {
  return {
    ...axisBase(plotlyText(axisTitle(axis), AXIS_CHARS), 8, theme),
    type: axis.log ? 'log' : 'linear',
    exponentformat: exponent,
    ...(axis.range
      ? { range: axis.range, autorange: false }
      : { autorange: true, rangemode: axis.fromZero ? 'tozero' : 'normal' }),
    ...(axis.ticks
      ? { tickmode: 'array', tickvals: axis.ticks.values, ticktext: axis.ticks.texts.map(t => plotlyText(t)) }
      : {})
  };
}

function referencesOf(spec: IChartSpec, theme: IChartTheme): PlotlyObject[] {
  return (spec.references ?? []).map(one => ({
    type: 'line',
    x0: one.from[0],
    y0: one.from[1],
    x1: one.to[0],
    y1: one.to[1],
    layer: 'below',
    line: { color: theme.line, width: 1, dash: 'dot' }
  }));
}

function marksOf(spec: IChartSpec, theme: IChartTheme): PlotlyObject[] {
  return (spec.marks ?? []).map(mark => ({
    type: 'scatter',
    mode: 'markers',
    x: [mark.x],
    y: [mark.y],
    name: plotlyText(mark.text),
    showlegend: false,
    text: [plotlyText(mark.text)],
    hovertemplate: '%{text}: %{x:.4~g}, %{y:.4~g}<extra></extra>',
    cliponaxis: false,
    marker: { color: theme.ground, size: 11, line: { color: mark.color, width: 3 } }
  }));
}

/** Where the names of series stand: at the ends of lines, beside a square chart, or beneath. */
type Naming = 'none' | 'ends' | 'beside' | 'beneath';

function namingOf(spec: IChartSpec, width: number): Naming {
  const shown = spec.series.filter(series => !series.faint);
  if (shown.length < 2) {
    return 'none';
  }
  if (width < NARROW_PX) {
    return 'beneath';
  }
  if (spec.square) {
    return 'beside';
  }
  const lines = shown.every(series => series.kind !== 'bars' && series.kind !== 'points');
  return lines && shown.length <= DIRECT_LABELS ? 'ends' : 'beneath';
}

function legendOf(naming: Naming, theme: IChartTheme): PlotlyObject {
  const font = { size: theme.fontSize - 1 };
  return naming === 'beside'
    ? { orientation: 'v', x: 1.02, xanchor: 'left', y: 1, yanchor: 'top', font }
    : { orientation: 'h', x: 0, y: -0.22, yanchor: 'top', font };
}

function marginOf(
  spec: IChartSpec,
  naming: Naming,
  theme: IChartTheme,
  size: IFigureSize
): { l: number; r: number; t: number; b: number } {
  const names = spec.series
    .filter(series => !series.faint)
    .map(series => (series.label ?? series.name).length);
  const longest = Math.min(LABEL_CHARS, Math.max(0, ...names));
  const label = Math.min(190, 24 + longest * (theme.fontSize - 1) * 0.56);
  const vertical = { t: 10, b: naming === 'beneath' ? 64 : 44 };
  if (spec.square) {
    // A square plot leaves the rest of the width to the legend, or empty at the right.
    const side = size.height - vertical.t - vertical.b;
    return { l: 52, r: Math.max(12, size.width - 52 - side), ...vertical };
  }
  return { l: 52, r: naming === 'ends' ? label : 12, ...vertical };
}

function axesOf(spec: IChartSpec, theme: IChartTheme): PlotlyObject {
  const square = spec.square
    ? { scaleanchor: 'x', scaleratio: 1, constrain: 'domain', constraintoward: 'top' }
    : {};
  const across = spec.square ? { constrain: 'domain', constraintoward: 'left' } : {};
  return {
    xaxis: {
      ...axisOf(spec.x, theme, 'SI'),
      hoverformat: '.5~g',
      unifiedhovertitle: { text: `${plotlyText(axisTitle(spec.x), 40)} %{x}` },
      ...across
    },
    yaxis: { ...axisOf(spec.y, theme, 'power'), ...square }
  };
}

/** The whole figure. A narrow chart has a legend beneath instead of names at the ends of its lines. */
export function figureOf(spec: IChartSpec, theme: IChartTheme, size: IFigureSize): IPlotlyFigure {
  const naming = namingOf(spec, size.width);
  const legend = naming === 'beside' || naming === 'beneath';
  const margin = marginOf(spec, naming, theme, size);
  const points = spec.series.every(series => series.kind === 'points');
  return {
    data: [
      ...spec.series.flatMap(bandOf),
      ...spec.series.map(series => traceOf(series, legend, '%{y:.5~g}')),
      ...marksOf(spec, theme)
    ],
    layout: {
      width: size.width,
      height: size.height,
      margin,
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: theme.fontFamily, size: theme.fontSize, color: theme.text },
      ...axesOf(spec, theme),
      hovermode: points || spec.square ? 'closest' : 'x unified',
      hoverlabel: {
        bgcolor: theme.ground,
        bordercolor: theme.line,
        font: { color: theme.text, size: theme.fontSize },
        namelength: 40
      },
      showlegend: legend,
      legend: legendOf(naming, theme),
      shapes: referencesOf(spec, theme),
      annotations: naming === 'ends' ? directLabels(spec, theme, size.height - margin.t - margin.b) : [],
      bargap: 0.04,
      dragmode: 'zoom',
      uirevision: `${spec.title}|${spec.x.title}|${spec.x.log}|${spec.y.log}`
    }
  };
}
