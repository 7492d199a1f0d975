import { describe, expect, it } from 'vitest';

import { bestThreshold, matrixOf, measuresOf, nearestThreshold, normalise } from './measures';
import type { IThresholdTable } from './measures';

const COUNTS = { tp: 40, fp: 10, tn: 30, fn: 20 };
const TABLE: IThresholdTable = {
  label: 'ill',
  thresholds: [0, 0.25, 0.5, 0.75, 1],
  counts: [
    { tp: 4, fp: 6, tn: 0, fn: 0 },
    { tp: 4, fp: 2, tn: 4, fn: 0 },
    { tp: 3, fp: 1, tn: 5, fn: 1 },
    { tp: 1, fp: 0, tn: 6, fn: 3 },
    { tp: 0, fp: 0, tn: 6, fn: 4 }
  ]
};

describe('measures at a threshold', () => {
  it('agree with a table computed by hand', () => {
    expect(measuresOf(COUNTS, { fp: 1, fn: 5 })).toEqual({
      precision: 0.8,
      recall: 2 / 3,
      f1: 80 / 110,
      accuracy: 0.7,
      specificity: 0.75,
      fpr: 0.25,
      cost: 110
    });
  });

  it('have no precision when nothing is predicted positive', () => {
    const measures = measuresOf(TABLE.counts[4]!, { fp: 1, fn: 1 });
    expect(measures.precision).toBeNull();
    expect(measures.recall).toBe(0);
    expect(measures.f1).toBe(0);
    expect(measures.accuracy).toBe(0.6);
  });

  it('have no recall when no row is of the class', () => {
    expect(measuresOf({ tp: 0, fp: 1, tn: 2, fn: 0 }, { fp: 1, fn: 1 }).recall).toBeNull();
  });

  it('keep the number of rows at every threshold', () => {
    for (const { tp, fp, tn, fn } of TABLE.counts) {
      expect(tp + fp + tn + fn).toBe(10);
    }
  });
});

describe('choosing a threshold', () => {
  it('takes the row that is nearest', () => {
    expect(nearestThreshold(TABLE.thresholds, 0.6)).toBe(2);
    expect(nearestThreshold(TABLE.thresholds, 7)).toBe(4);
    expect(nearestThreshold([], 0.5)).toBe(0);
  });

  it('finds the best F1', () => {
    // 0.57, 0.80, 0.75, 0.40, 0
    expect(bestThreshold(TABLE, { fp: 1, fn: 1 }, 'f1')).toBe(1);
  });

  it('finds the lowest cost, which moves with the costs', () => {
    expect(bestThreshold(TABLE, { fp: 10, fn: 1 }, 'cost')).toBe(3);
    expect(bestThreshold(TABLE, { fp: 1, fn: 10 }, 'cost')).toBe(1);
  });

  it('takes the middle of a plateau', () => {
    const flat = { ...TABLE, counts: [COUNTS, COUNTS, COUNTS], thresholds: [0, 0.5, 1] };
    expect(bestThreshold(flat, { fp: 1, fn: 1 }, 'youden')).toBe(1);
  });
});

describe('a confusion matrix', () => {
  it('has the true class in rows and the predicted one in columns', () => {
    expect(matrixOf(COUNTS)).toEqual([
      [30, 10],
      [20, 40]
    ]);
  });

  it('is normalised by row, column and total', () => {
    const matrix = [
      [30, 10],
      [20, 40]
    ];
    expect(normalise(matrix, 'count')).toEqual(matrix);
    expect(normalise(matrix, 'row')).toEqual([
      [0.75, 0.25],
      [1 / 3, 2 / 3]
    ]);
    expect(normalise(matrix, 'column')).toEqual([
      [0.6, 0.2],
      [0.4, 0.8]
    ]);
    expect(normalise(matrix, 'total')).toEqual([
      [0.3, 0.1],
      [0.2, 0.4]
    ]);
  });

  it('shows no share of a class that has no rows', () => {
    expect(
      normalise(
        [
          [0, 0],
          [1, 3]
        ],
        'row'
      )[0]
    ).toEqual([null, null]);
  });
});
