/** Partial dependence and single rows (ICE) as a chart. */
import { colorOf, dashOf } from '../../charts/palette';
import type { IAxis, IChartSpec, ISeries } from '../../charts/spec';
import { type AutoMLReport, type Dependence, type Real, toNumber } from '../../api/types';

const TICKS = 24;
const CHARS = 18;

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function short(text: string): string {
  return text.length > CHARS ? `${text.slice(0, CHARS - 1)}…` : text;
}

function finite(values: readonly Real[]): (number | null)[] {
  return values.map(value => {
    const number = toNumber(value);
    return Number.isFinite(number) ? number : null;
  });
}

/** The names of the lines: classes, of a binary target only the one that is meant. */
function linesOf(one: Dependence, report: AutoMLReport): { name: string; values: Real[] }[] {
  const { classes } = report;
  if (one.mean.length <= 1) {
    return one.mean.map(values => ({ name: 'mean', values }));
  }
  const lines = one.mean.map((values, index) => ({ name: classes[index] ?? `class ${index}`, values }));
  const meant = lines.filter(line => line.name === one.of);
  return lines.length === 2 && meant.length === 1 ? meant : lines;
}

/** The mean prediction over a column's values, with a few single rows behind it. */
export function dependenceSpec(one: Dependence, report: AutoMLReport): IChartSpec {
  const numbers = one.values.every(value => typeof value === 'number');
  const x = one.values.map((value, place) => (numbers ? Number(value) : place));
  const words = one.values.map(wordOf);
  const axis: IAxis = {
    title: one.column,
    ...(numbers
      ? {}
      : {
          range: [-0.5, x.length - 0.5] as const,
          ticks: { values: x.slice(0, TICKS), texts: words.slice(0, TICKS).map(short) }
        })
  };
  const classes = report.classes.length > 0;
  const rows = one.rows.map((values, index): ISeries => ({
    name: `row ${index + 1}`,
    x,
    y: finite(values),
    color: '#888888',
    faint: true
  }));
  const lines = linesOf(one, report).map(({ name, values }, index): ISeries => ({
    name,
    x,
    y: finite(values),
    color: colorOf(index),
    dash: dashOf(index),
    ...(numbers ? {} : { texts: words.map((word, at) => `${word}: ${String(values[at])}`) })
  }));
  const of = one.of || (lines.length === 1 ? lines[0]!.name : '');
  return {
    title: `Prediction by ${one.column}`,
    x: axis,
    y: {
      title: classes
        ? lines.length === 1 && of !== 'mean'
          ? `probability of ${of}`
          : 'probability'
        : 'prediction'
    },
    series: [...rows, ...lines]
  };
}
