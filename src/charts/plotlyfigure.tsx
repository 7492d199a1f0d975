import { type JSX, useCallback, useMemo } from 'react';

import type { IFigureSize } from './figure';
import { foreignFigure } from './foreign';
import type { IPlotlyFigure, PlotlyObject } from './plotly';
import { PlotlyBox } from './plotlybox';
import { type IChartTheme, useTheme } from './theme';

function themed(figure: IPlotlyFigure, theme: IChartTheme, size: IFigureSize): IPlotlyFigure {
  const layout = figure.layout;
  const axis = { gridcolor: theme.grid, zerolinecolor: theme.line, linecolor: theme.line, automargin: true };
  const axes = Object.fromEntries(
    Object.entries(layout)
      .filter(([key, value]) => /^[xy]axis\d*$/.test(key) && typeof value === 'object')
      .map(([key, value]) => [key, { ...axis, ...(value as PlotlyObject) }])
  );
  return {
    data: figure.data,
    layout: {
      xaxis: axis,
      yaxis: axis,
      ...layout,
      ...axes,
      width: size.width,
      height: size.height,
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: { ...(layout['font'] as PlotlyObject | undefined), family: theme.fontFamily, color: theme.text }
    }
  };
}

/** Draws a plotly figure that user code logged, in the theme's colours. */
export function PlotlyFigure({
  source,
  height = 380
}: {
  source: PlotlyObject;
  height?: number;
}): JSX.Element {
  const theme = useTheme();
  const read = useMemo(() => foreignFigure(source), [source]);
  const figure = useCallback((size: IFigureSize) => themed(read.figure, theme, size), [read, theme]);
  return (
    <div className="jp-mls-Plot">
      {read.undrawn.length > 0 && (
        <p className="jp-mls-Plot-note">
          Not drawn here: traces of type {read.undrawn.join(', ')}. Log the figure as an image to see it, too.
        </p>
      )}
      {read.removed > 0 && (
        <p className="jp-mls-Plot-note">Parts that would load something from elsewhere were left out.</p>
      )}
      {read.figure.data.length > 0 && <PlotlyBox figure={figure} height={height} />}
    </div>
  );
}
