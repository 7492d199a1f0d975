import { describe, expect, it } from 'vitest';

import type { Run } from '../../api/types';
import { parallelAxis } from '../../charts/parallel';
import { shareDifference } from './confusion';
import { differences, firstAxes, numeric, sameValue } from './differences';

function run(more: Partial<Run>): Run {
  return {
    kind: 'script',
    status: 'Completed',
    duration_s: 1,
    origin: { notebook: null, script: 'train.py', git: null, cell_id: null, cell_number: null, host: null },
    snapshot_id: null,
    environment: null,
    params: {},
    metrics: {},
    ...more
  } as Run;
}

describe('values of two runs', () => {
  it('are the same when they read the same', () => {
    expect(sameValue('0.10', '0.1')).toBe(true);
    expect(sameValue('NaN', 'NaN')).toBe(true);
    expect(sameValue('adam', 'sgd')).toBe(false);
    expect(sameValue(null, '')).toBe(false);
    expect(sameValue('', '0')).toBe(false);
    expect(sameValue(0, null)).toBe(false);
  });

  it('are numbers only where they are finite', () => {
    expect([numeric('1e-3'), numeric('NaN'), numeric('x'), numeric(''), numeric(null)]).toEqual([
      0.001,
      null,
      null,
      null,
      null
    ]);
  });
});

describe('the difference table', () => {
  const rows = differences([
    run({ params: { lr: '0.1', depth: '3' }, metrics: { auc: 0.9, 'system/cpu_percent': 50 } }),
    run({ params: { lr: '0.10', depth: '5', constructor: 'x' }, metrics: { auc: 0.8 } })
  ]);
  const row = (name: string): unknown => rows.find(one => one.name === name);

  it('marks the rows that differ', () => {
    expect(rows.filter(one => one.differs).map(one => one.name)).toEqual(['constructor', 'depth', 'auc']);
  });

  it('has nothing where a run has no such parameter, whatever its name', () => {
    expect(row('constructor')).toMatchObject({ values: [null, 'x'] });
  });

  it('leaves the machine out of the metrics', () => {
    expect(row('system/cpu_percent')).toBeUndefined();
  });

  it('begins with the axes that say most', () => {
    expect(firstAxes(rows, 3)).toEqual(['parameter: constructor', 'parameter: depth', 'metric: auc']);
  });
});

describe('parallel coordinates', () => {
  it('place numbers by size and words by the alphabet', () => {
    expect(parallelAxis({ name: 'lr', values: [1, 3, null, 2] }).places).toEqual([0, 1, null, 0.5]);
    expect(parallelAxis({ name: 'opt', values: ['sgd', 'adam', 'sgd'] }).places).toEqual([1, 0, 1]);
    expect(parallelAxis({ name: 'one', values: [5, 5] }).places).toEqual([0.5, 0.5]);
  });
});

describe('two confusion matrices', () => {
  it('differ by the shares of each true class', () => {
    const first = {
      labels: ['a', 'b'],
      matrix: [
        [8, 2],
        [0, 0]
      ]
    };
    const second = {
      labels: ['a', 'b'],
      matrix: [
        [5, 5],
        [1, 1]
      ]
    };
    expect(shareDifference(first, second)![0]![1]).toBeCloseTo(0.3, 12);
    expect(shareDifference(first, second)![1]).toEqual([null, null]);
  });

  it('of different classes have no difference', () => {
    expect(shareDifference({ labels: ['a'], matrix: [[1]] }, { labels: ['b'], matrix: [[1]] })).toBeNull();
  });
});
