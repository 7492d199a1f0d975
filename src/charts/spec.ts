/** What a chart says, before anything is drawn: series over two axes, with marks. Pure data, so that it can be tested. */

import type { Dash } from './palette';

/** One line, cloud of points or set of bars. ``y`` holds null where there is a gap. */
export interface ISeries {
  name: string;
  x: readonly number[];
  y: readonly (number | null)[];
  color: string;
  kind?: 'line' | 'points' | 'bars' | 'steps';
  dash?: Dash;
  /** A line in the background (raw values under a smoothed line): no label, no hover, pale. */
  faint?: boolean;
  /** Upper and lower edge of an interval band around the line. */
  band?: { low: readonly (number | null)[]; high: readonly (number | null)[] };
  /** A colour for each point, when a point is a thing of its own (a run). */
  colors?: readonly string[];
  /** Widths of bars, in units of x. */
  widths?: readonly number[];
  /** One text for each point, shown when it is hovered. */
  texts?: readonly string[];
  /** Points that have a value but cannot be drawn (NaN, infinities). */
  notFinite?: number;
  /** What stands at the end of the line instead of the name. */
  label?: string;
}

/** One axis. ``unit`` is added to the title in brackets. */
export interface IAxis {
  title: string;
  unit?: string;
  log?: boolean;
  range?: readonly [number, number];
  /** The axis begins at zero: amounts of something. */
  fromZero?: boolean;
  ticks?: { values: number[]; texts: string[] };
}

/** A marked point, e.g. the chosen threshold on a curve. */
export interface IMark {
  x: number;
  y: number;
  text: string;
  color: string;
}

/** A reference line from one point to another, e.g. the diagonal of a ROC chart. */
export interface IReference {
  from: readonly [number, number];
  to: readonly [number, number];
  text: string;
}

export interface IChartSpec {
  title: string;
  x: IAxis;
  y: IAxis;
  series: ISeries[];
  marks?: IMark[];
  references?: IReference[];
  /** Both axes have the same scale (ROC, predicted against true). */
  square?: boolean;
}

/** A table of plain values, as the data-table switch and the CSV file show it. */
export interface ITable {
  columns: string[];
  rows: (string | number | null)[][];
}

/** The title of an axis with its unit. */
export function axisTitle(axis: IAxis): string {
  return axis.unit ? `${axis.title} (${axis.unit})` : axis.title;
}
