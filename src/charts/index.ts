/** Charts for the views: plotly as a lazy chunk, and small ones in plain SVG. */
export { DataTable } from './datatable';
export { MiniConfusion, MiniRoc, type IMiniConfusionProps, type IMiniCurve } from './mini';
export { colorOf, dashOf } from './palette';
export { Plot, type IPlotProps } from './plot';
export { PlotlyFigure } from './plotlyfigure';
export { PlotlyLoader } from './plotlybox';
export { Sparkline } from './sparkline';
export type { IAxis, IChartSpec, ISeries, ITable } from './spec';
