/** Hands a chart to the user as a file. */

import type { IPlotly, IPlotlyFigure } from './plotly';
import type { IChartSpec, ITable } from './spec';

import { figureOf } from './figure';
import { csvOf, plotlyText } from './text';
import type { IChartTheme } from './theme';

export type ImageFormat = 'png' | 'svg';

const WIDTH_PX = 960;
const HEIGHT_PX = 540;

/** A name that every file system takes. */
export function fileName(title: string, extension: string): string {
  const stem = title
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^[._]+|_+$/g, '')
    .slice(0, 80);
  return `${stem || 'chart'}.${extension}`;
}

function hand(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.appendChild(link);
  link.click();
  link.remove();
}

/** Saves text as a file. */
export function saveText(text: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  hand(url, name);
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Saves a table as CSV. */
export function saveCsv(table: ITable, title: string): void {
  saveText(csvOf(table), fileName(title, 'csv'), 'text/csv');
}

/** Saves the chart as a picture, with its title and on the ground of the theme. */
export async function saveImage(
  plotly: IPlotly,
  spec: IChartSpec,
  theme: IChartTheme,
  format: ImageFormat
): Promise<void> {
  const figure = figureOf(spec, theme, { width: WIDTH_PX, height: HEIGHT_PX });
  await saveFigure(plotly, figure, spec.title, theme, format);
}

/** Saves a figure as a picture, with a title and on the ground of the theme. */
export async function saveFigure(
  plotly: IPlotly,
  { data, layout }: IPlotlyFigure,
  title: string,
  theme: IChartTheme,
  format: ImageFormat
): Promise<void> {
  const margin = layout['margin'] as { t: number };
  const titled = {
    ...layout,
    margin: { ...margin, t: Math.max(44, margin.t + 30) },
    paper_bgcolor: theme.ground,
    title: { text: plotlyText(title, 90), x: 0.02, xanchor: 'left', font: { size: theme.fontSize + 3 } }
  };
  const url = await plotly.toImage(
    { data, layout: titled },
    { format, width: WIDTH_PX, height: HEIGHT_PX, scale: format === 'png' ? 2 : 1 }
  );
  hand(url, fileName(title, format));
}
