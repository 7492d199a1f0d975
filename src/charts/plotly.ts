/** The part of plotly.js that the charts use, and the one place that loads it. */

export type PlotlyObject = Record<string, unknown>;

export interface IPlotlyFigure {
  data: PlotlyObject[];
  layout: PlotlyObject;
}

/** A drawn chart: the element, with plotly's own event methods on it. */
export interface IPlotlyNode extends HTMLElement {
  on(event: string, listener: (detail: unknown) => void): void;
  removeAllListeners(event: string): void;
}

export interface IPlotly {
  newPlot(
    node: HTMLElement,
    data: PlotlyObject[],
    layout: PlotlyObject,
    config: PlotlyObject
  ): Promise<unknown>;
  react(
    node: HTMLElement,
    data: PlotlyObject[],
    layout: PlotlyObject,
    config: PlotlyObject
  ): Promise<unknown>;
  relayout(node: HTMLElement, change: PlotlyObject): Promise<unknown>;
  purge(node: HTMLElement): void;
  toImage(figure: PlotlyObject, options: PlotlyObject): Promise<string>;
  Plots: { resize(node: HTMLElement): Promise<unknown> | void };
}

let loading: Promise<IPlotly> | null = null;

/** Loads plotly once, as a chunk of its own; a failed load is tried again at the next call. */
export function loadPlotly(): Promise<IPlotly> {
  loading ??= import('plotly.js-cartesian-dist-min').then(
    found => (found.default ?? found) as IPlotly,
    (reason: unknown) => {
      loading = null;
      throw reason;
    }
  );
  return loading;
}

/** How every chart of the studio behaves: no mode bar, no logo, no edits, double click resets the zoom. */
export const PLOTLY_CONFIG: PlotlyObject = {
  displayModeBar: false,
  displaylogo: false,
  doubleClick: 'reset+autosize',
  responsive: false,
  scrollZoom: false,
  showTips: false
};
