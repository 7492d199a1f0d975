import type { JSX } from 'react';
import { useContext } from 'react';

import { visible } from '../text';
import type { IPlotly } from './plotly';
import { PlotlyLoader } from './plotlybox';
import type { ImageFormat } from './save';

/** Shows the numbers of a chart instead of it. */
export function TableButton({
  pressed,
  onChange
}: {
  pressed: boolean;
  onChange: (pressed: boolean) => unknown;
}): JSX.Element {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={() => onChange(!pressed)}
      title="Show the numbers as a table"
    >
      Table
    </button>
  );
}

/** Hands a chart to the user as an image, which needs Plotly, or as a table. */
export function SaveMenu({
  title,
  image,
  table
}: {
  title: string;
  image: (plotly: IPlotly, format: ImageFormat) => unknown;
  table: () => unknown;
}): JSX.Element {
  const load = useContext(PlotlyLoader);
  const save = (format: string): void => {
    if (format === 'csv') {
      table();
    } else if (format === 'png' || format === 'svg') {
      void load().then(plotly => image(plotly, format));
    }
  };
  return (
    <select
      aria-label={`Save ${visible(title)}`}
      title="Save this chart"
      value=""
      onChange={event => save(event.target.value)}
    >
      <option value="" disabled>
        Save
      </option>
      <option value="png">PNG</option>
      <option value="svg">SVG</option>
      <option value="csv">CSV</option>
    </select>
  );
}
