/** Text in charts: what users named something is never markup. */

import type { IChartSpec, ISeries, ITable } from './spec';

import { axisTitle } from './spec';
import { formatNumber, shortened, visible } from '../text';
import { extent } from './series';

/** Escapes for plotly, which reads a small markup, TeX between dollars and templates in its texts. */
export function plotlyText(text: string, length = 48): string {
  return shortened(visible(text), length)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\$/g, '&#36;')
    .replace(/%\{/g, '%&#123;');
}

function summaryOfSeries(series: ISeries): string {
  const name = visible(series.name);
  const gaps = series.notFinite ? `; ${notFiniteText(series.notFinite)}` : '';
  const span = extent(series.y);
  if (!span) {
    return `${name}: no values${gaps}`;
  }
  const drawn = series.y.filter(value => value !== null);
  const points = drawn.length === 1 ? '1 point' : `${drawn.length} points`;
  return `${name}: ${points}, lowest ${formatNumber(span[0])}, highest ${formatNumber(span[1])}, last ${formatNumber(drawn.at(-1))}${gaps}`;
}

/** Says how many points have no place on the chart. */
export function notFiniteText(count: number): string {
  return count === 1 ? '1 point not finite' : `${count} points not finite`;
}

/** What a screen reader says about a chart. */
export function summaryOf(spec: IChartSpec): string {
  const shown = spec.series.filter(series => !series.faint);
  const head = `${spec.title}: ${axisTitle(spec.y)} over ${axisTitle(spec.x)}, ${shown.length === 1 ? '1 series' : `${shown.length} series`}.`;
  const lines = shown.slice(0, 12).map(summaryOfSeries);
  const marks = (spec.marks ?? []).map(
    mark => `${mark.text}: ${formatNumber(mark.x)}, ${formatNumber(mark.y)}`
  );
  const more = shown.length > 12 ? [`and ${shown.length - 12} more`] : [];
  return [head, ...lines.map(line => `${line}.`), ...marks.map(mark => `${mark}.`), ...more].join(' ');
}

function sameX(series: ISeries[]): boolean {
  const first = series[0];
  return (
    first !== undefined &&
    series.every(
      other =>
        other.x === first.x ||
        (other.x.length === first.x.length && other.x.every((x, i) => x === first.x[i]))
    )
  );
}

/** The chart's numbers as a table: one column a series when all share their x, else one row a point. */
export function tableOf(spec: IChartSpec): ITable {
  const series = spec.series.filter(one => !one.faint);
  const first = series[0];
  if (first && sameX(series)) {
    return {
      columns: [axisTitle(spec.x), ...series.map(one => one.name)],
      rows: first.x.map((x, row) => [x, ...series.map(one => one.y[row] ?? null)])
    };
  }
  return {
    columns: ['series', axisTitle(spec.x), axisTitle(spec.y)],
    rows: series.flatMap(one => one.x.map((x, row) => [one.name, x, one.y[row] ?? null]))
  };
}

function csvCell(value: string | number | null): string {
  if (value === null) {
    return '';
  }
  if (typeof value === 'number') {
    return String(value);
  }
  // A spreadsheet would run a text that begins like a formula.
  const safe = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** A table as CSV (RFC 4180). */
export function csvOf(table: ITable): string {
  return [table.columns, ...table.rows].map(row => row.map(csvCell).join(',')).join('\r\n') + '\r\n';
}
