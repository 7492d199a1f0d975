import { describe, expect, it } from 'vitest';

import { figureOf, spreadLabels } from './figure';
import { compareCells } from './datatable';
import { colorOf, dashOf, PALETTE, tint } from './palette';
import { fileName } from './save';
import { finiteValues, lonePointSizes, positiveValues, smooth, timeScale } from './series';
import { sparklineRuns } from './sparkline';
import type { IChartSpec } from './spec';
import { csvOf, plotlyText, summaryOf, tableOf } from './text';
import { readTheme } from './theme';

const SPEC: IChartSpec = {
  title: 'loss',
  x: { title: 'step' },
  y: { title: 'loss', unit: 'nats' },
  series: [
    { name: 'train', x: [0, 1, 2], y: [3, null, 1], color: colorOf(0), notFinite: 1 },
    { name: 'val', x: [0, 1, 2], y: [4, 3, 2], color: colorOf(1) }
  ]
};
const WIDE = { width: 800, height: 300 };

describe('values', () => {
  it('that are not finite become gaps and are counted', () => {
    expect(finiteValues([1, 'NaN', null, 'Infinity', '-Infinity', 2])).toEqual({
      values: [1, null, null, null, null, 2],
      notFinite: 4
    });
  });

  it('that are not positive have no place on a log axis', () => {
    expect(positiveValues([1, 0, -1, null])).toEqual({ values: [1, null, null, null], left: 2 });
  });

  it('keep a point without neighbours visible', () => {
    expect(lonePointSizes([1, null, 2, 3], 5)).toEqual([5, 0, 0, 0]);
    expect(lonePointSizes([1, 2], 5)).toBeNull();
  });
});

describe('smoothing', () => {
  it('agrees with a moving average computed by hand', () => {
    // 0.9 m + 0.1 v, divided by 1 - 0.9^n
    const [first, second, third] = smooth([10, 20, 0], 0.9);
    expect(first).toBeCloseTo(10, 12);
    expect(second).toBeCloseTo((0.9 * 1 + 2) / 0.19, 12);
    expect(third).toBeCloseTo((0.9 * 2.9) / 0.271, 12);
  });

  it('leaves a constant alone and a gap a gap', () => {
    const smoothed = smooth([5, null, 5], 0.8);
    expect(smoothed[0]).toBeCloseTo(5, 12);
    expect(smoothed[1]).toBeNull();
    expect(smoothed[2]).toBeCloseTo(5, 12);
  });

  it('of weight zero changes nothing', () => {
    expect(smooth([1, null, 3], 0)).toEqual([1, null, 3]);
  });
});

describe('a figure', () => {
  it('names up to six lines at their ends and more in a legend', () => {
    const theme = readTheme();
    const few = figureOf(SPEC, theme, WIDE);
    expect(few.layout['annotations']).toHaveLength(2);
    expect(few.layout['showlegend']).toBe(false);
    const series = Array.from({ length: 7 }, (_, i) => ({ ...SPEC.series[1]!, name: `s${i}` }));
    const many = figureOf({ ...SPEC, series }, theme, WIDE);
    expect(many.layout['annotations']).toHaveLength(0);
    expect(many.layout['showlegend']).toBe(true);
  });

  it('has a legend when it is too narrow for names at the line ends', () => {
    const narrow = figureOf(SPEC, readTheme(), { width: 300, height: 200 });
    expect(narrow.layout['showlegend']).toBe(true);
  });

  it('keeps gaps open and draws what users named as text', () => {
    const spec = { ...SPEC, series: [{ ...SPEC.series[0]!, name: '<img src=x onerror=1> $x$ %{y}' }] };
    const trace = figureOf(spec, readTheme(), WIDE).data[0]!;
    expect(trace['connectgaps']).toBe(false);
    expect(trace['y']).toEqual([3, null, 1]);
    expect(trace['name']).not.toMatch(/[<$]|%\{/);
  });

  it('keeps its zoom while points come in', () => {
    const grown = { ...SPEC, series: [{ ...SPEC.series[0]!, x: [0, 1, 2, 3], y: [3, null, 1, 0] }] };
    const theme = readTheme();
    expect(figureOf(grown, theme, WIDE).layout['uirevision']).toBe(
      figureOf(SPEC, theme, WIDE).layout['uirevision']
    );
  });

  it('draws an interval as two invisible edges with a tint between', () => {
    const series = [{ ...SPEC.series[1]!, band: { low: [3, 2, 1], high: [5, 4, 3] } }];
    const { data } = figureOf({ ...SPEC, series }, readTheme(), WIDE);
    expect(data).toHaveLength(3);
    expect(data[1]!['fillcolor']).toBe(tint(colorOf(1), 0.15));
  });

  it('moves labels apart that would cover each other', () => {
    const positions = [100, 101, 102];
    const placed = spreadLabels(positions, 12).map((shift, i) => positions[i]! + shift);
    expect(placed[1]! - placed[0]!).toBeGreaterThanOrEqual(12);
    expect(placed[2]! - placed[1]!).toBeGreaterThanOrEqual(12);
    expect(spreadLabels([0, 50], 12)).toEqual([0, 0]);
  });
});

describe('text in charts', () => {
  it('is no markup for plotly', () => {
    expect(plotlyText('<b>&$')).toBe('&lt;b&gt;&amp;&#36;');
    expect(plotlyText('a\u202eb')).toBe('a[U+202E]b');
  });

  it('tells a screen reader what the chart shows', () => {
    expect(summaryOf(SPEC)).toBe(
      'loss: loss (nats) over step, 2 series. train: 2 points, lowest 1, highest 3, last 1; 1 point not finite. ' +
        'val: 3 points, lowest 2, highest 4, last 2.'
    );
  });
});

describe('the data table', () => {
  it('has a column for each series when they share their x', () => {
    expect(tableOf(SPEC)).toEqual({
      columns: ['step', 'train', 'val'],
      rows: [
        [0, 3, 4],
        [1, null, 3],
        [2, 1, 2]
      ]
    });
  });

  it('has a row for each point when they do not', () => {
    const series = [SPEC.series[0]!, { ...SPEC.series[1]!, x: [0, 5, 9] }];
    expect(tableOf({ ...SPEC, series }).rows[3]).toEqual(['val', 0, 4]);
  });

  it('is CSV that a spreadsheet does not run', () => {
    const csv = csvOf({
      columns: ['=cmd()', 'a,b'],
      rows: [
        [-1.5, 'say "hi"'],
        [null, '-3']
      ]
    });
    expect(csv).toBe('\'=cmd(),"a,b"\r\n-1.5,"say ""hi"""\r\n,-3\r\n');
  });

  it('sorts numbers by size, texts by the alphabet, gaps last', () => {
    const sorted = [3, null, 'b', 10, 'a'].sort((a, b) => compareCells(a, b, false));
    expect(sorted).toEqual([3, 10, 'a', 'b', null]);
    expect([3, null, 10].sort((a, b) => compareCells(a, b, true))).toEqual([10, 3, null]);
  });
});

describe('small things', () => {
  it('a sparkline breaks at a gap', () => {
    expect(sparklineRuns([1, 2, null, 3], 72, 18).map(run => run.length)).toEqual([2, 1]);
    expect(sparklineRuns([null], 72, 18)).toEqual([]);
  });

  it('a line style tells series apart when the colours begin again', () => {
    expect(colorOf(PALETTE.length)).toBe(colorOf(0));
    expect(dashOf(PALETTE.length)).not.toBe(dashOf(0));
  });

  it('a time axis has a unit that reads well', () => {
    expect([30, 600, 10_000, 500_000].map(span => timeScale(span).unit)).toEqual(['s', 'min', 'h', 'days']);
  });

  it('a file name has nothing that a file system refuses', () => {
    expect(fileName('../train/loss: "x"', 'png')).toBe('train_loss_x.png');
    expect(fileName('???', 'csv')).toBe('chart.csv');
  });
});
