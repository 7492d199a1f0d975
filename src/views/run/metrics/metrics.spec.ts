import { describe, expect, it } from 'vitest';

import type { MetricSeries } from '../../../api/types';
import { axesOf, CURVE_DEFAULTS, notesOf, seriesOf, partOf } from './curves';
import { chosenGroups, groupMetrics } from './groups';

function points(values: MetricSeries['values'], more: Partial<MetricSeries> = {}): MetricSeries {
  return {
    name: 'loss',
    steps: values.map((_, i) => i),
    times: values.map((_, i) => 1000 + 60 * i),
    values,
    total: values.length,
    sampled: false,
    non_finite: 0,
    ...more
  };
}

describe('grouping metrics', () => {
  it('puts training and validation of one measure into one chart', () => {
    const groups = groupMetrics(['train/loss', 'val/loss', 'train/acc', 'lr'], 'metric');
    expect(groups.map(group => group.title)).toEqual(['loss', 'train/acc', 'lr']);
    expect(groups[0]!.members.map(member => member.label)).toEqual(['train', 'val']);
  });

  it('knows the names that frameworks use', () => {
    const [loss] = groupMetrics(['loss', 'val_loss'], 'metric');
    expect(loss!.members.map(member => member.label)).toEqual(['loss', 'val']);
  });

  it('by prefix puts all of train into one chart', () => {
    const groups = groupMetrics(['train/loss', 'train/acc', 'val/loss'], 'prefix');
    expect(groups.map(group => group.title)).toEqual(['train', 'val/loss']);
  });

  it('finds by name and shows pinned ones first', () => {
    const groups = groupMetrics(['a', 'b', 'ab'], 'none');
    expect(chosenGroups(groups, 'B', new Set(['ab'])).map(group => group.title)).toEqual(['ab', 'b']);
  });
});

describe('curves', () => {
  it('have gaps where a value is not finite, and say how many', () => {
    const [series] = seriesOf(
      [{ name: 'loss', points: points([1, 'NaN', 'Infinity', 2]), startS: null, index: 0 }],
      CURVE_DEFAULTS
    );
    expect(series!.y).toEqual([1, null, null, 2]);
    expect(series!.notFinite).toBe(2);
  });

  it('keep the raw line faint under the smooth one', () => {
    const curve = { name: 'loss', points: points([0, 1, 1]), startS: null, index: 0 };
    const series = seriesOf([curve], { ...CURVE_DEFAULTS, smoothing: 0.5 });
    expect(series.map(one => one.faint ?? false)).toEqual([true, false]);
    expect(series[1]!.y[0]).toBe(0);
    expect(series[1]!.y[1]).toBeCloseTo(2 / 3, 12);
  });

  it('over time count from the start of the run in a unit that reads well', () => {
    const curve = {
      name: 'loss',
      points: points(Array.from({ length: 11 }, () => 1)),
      startS: 940,
      index: 0
    };
    const options = { ...CURVE_DEFAULTS, x: 'time' as const };
    expect(axesOf([curve], options, 'loss').x).toEqual({ title: 'time since start', unit: 'min' });
    expect(seriesOf([curve], options)[0]!.x.slice(0, 3)).toEqual([1, 2, 3]);
  });

  it('leave out on a log axis what is not above zero, and say so', () => {
    const curve = { name: 'loss', points: points([1, 0, -2]), startS: null, index: 0 };
    const options = { ...CURVE_DEFAULTS, log: true };
    expect(seriesOf([curve], options)[0]!.y).toEqual([1, null, null]);
    expect(notesOf([curve], options)).toBe('2 points not above 0');
  });

  it('say when points were thinned out', () => {
    const curve = {
      name: 'loss',
      points: points([1, 2], { sampled: true, total: 1_000_000 }),
      startS: null,
      index: 0
    };
    expect(notesOf([curve], CURVE_DEFAULTS)).toBe('2 of 1,000,000 points, extremes kept');
  });
});

describe('the part of a series that a zoom shows', () => {
  const points: MetricSeries = {
    name: 'loss',
    steps: [0, 100],
    times: [1000, 1000 + 7200],
    values: [1, 2],
    total: 100,
    sampled: true,
    non_finite: 0
  };
  const curves = [{ name: 'loss', points, startS: 990, index: 0 }];

  it('is whole steps', () => {
    expect(partOf(curves, CURVE_DEFAULTS, [10.2, 20.7])).toEqual({ from_step: 10, to_step: 21 });
    expect(partOf(curves, CURVE_DEFAULTS, [-Infinity, Infinity])).toBeNull();
  });

  it('is times of the day where the axis counts from the start', () => {
    const part = partOf(curves, { ...CURVE_DEFAULTS, x: 'time' }, [0, 1]);
    expect(part).toMatchObject({ from_time: 990 });
    expect(Object.keys(part ?? {})).toEqual(['from_time', 'to_time']);
  });
});
