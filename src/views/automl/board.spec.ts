import { describe, expect, it } from 'vitest';

import type { AutoMLReport, Partition } from '../../api/types';
import { someCandidate, someColumn, someReport } from '../../testing/automl';
import { historyOf, leaderOf, membersOf, placeOf, scaleOf, stateOf, whyNotFirst } from './board';
import { dependenceSpec } from './dependence';
import { branchesOf } from './diagram';
import { goodness, heatOf, partName } from './heat';

const part = (store: string, week: number, score: number | null): Partition => ({
  key: { store, week },
  run_id: 'p',
  rows: 10,
  fingerprint: '',
  score,
  reused: false,
  failed: ''
});

describe('the leaderboard', () => {
  it('is led by the winner, before there is one by the best that did not fail', () => {
    const leaderboard = [
      someCandidate(0, { score: 0.99, failed: 'out of memory' }),
      someCandidate(1, { score: 0.8 }),
      someCandidate(2, { score: 0.9 })
    ];
    expect(leaderOf(someReport({ leaderboard }))?.number).toBe(2);
    expect(leaderOf(someReport({ leaderboard, goal: 'minimize' }))?.number).toBe(1);
    expect(leaderOf(someReport({ leaderboard, winner: 1 }))?.number).toBe(1);
    expect(leaderOf(someReport({ leaderboard: [] }))).toBeNull();
  });

  it('says why the winner is not the one with the best score', () => {
    const refused = { ...someCandidate(0).onnx!, ready: false, reason: 'labels flip' };
    const leaderboard = [someCandidate(0, { onnx: refused }), someCandidate(1), someCandidate(2)];
    const why = (more: Partial<AutoMLReport>): string | null =>
      whyNotFirst(someReport({ leaderboard, ...more }));
    expect(why({ winner: 0 })).toBeNull();
    expect(why({ winner: null })).toBeNull();
    expect(why({ winner: 1 })).toContain('no ONNX form');
    expect(why({ winner: 2 })).toMatch(/more than chance would\.$/);
    expect(why({ winner: 2, primary_metric: 'log_loss' })).toContain('sure of a few rows');
    const vote = someCandidate(3, { family: 'VotingEnsemble', stage: 'ensemble' });
    const stack = someCandidate(4, { family: 'StackEnsemble', stage: 'ensemble' });
    expect(why({ winner: 3, leaderboard: [someCandidate(1), vote] })).toContain('partly luck');
    expect(why({ winner: 3, leaderboard: [stack, vote] })).toContain('more than chance');
  });

  it('draws scores on one scale on which few bad ones do not matter', () => {
    const good = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(n => someCandidate(n));
    const bad = someCandidate(9, { score: -5000, low: -6000, high: -4000 });
    const scale = scaleOf(someReport({ leaderboard: [...good, bad] }))!;
    expect(scale[0]).toBeGreaterThan(0.5);
    expect(placeOf(-5000, scale)).toBe(0);
    expect(placeOf(0.92, scale)).toBeGreaterThan(0.9);
    expect(scaleOf(someReport({ leaderboard: [] }))).toBeNull();
  });

  it('tells what is under way from what was ended and what failed', () => {
    const open = someCandidate(0, { score: null });
    expect(stateOf(open, { status: 'Running' })).toBe('live');
    expect(stateOf(open, { status: 'Canceled' })).toBe('ended');
    expect(stateOf(someCandidate(0, { failed: 'no', folds: [] }), { status: 'Running' })).toBe('failed');
    expect(stateOf(someCandidate(0, { failed: 'worse than the best' }), { status: 'Running' })).toBe(
      'given up'
    );
    const late = someCandidate(0, { failed: 'the search ended', folds: [] });
    expect(stateOf(late, { status: 'Completed' })).toBe('given up');
  });

  it('knows the members of an ensemble, the heaviest first', () => {
    const ensemble = someCandidate(5, { weights: { '0': 0.3, '1': 0.6, '99': 0.1 } });
    expect(membersOf(ensemble, someReport()).map(one => [one.name, one.weight])).toEqual([
      ['Linear', 0.6],
      ['RandomForest', 0.3],
      ['model 99', 0.1]
    ]);
  });

  it('has a best that only becomes better', () => {
    const leaderboard = [0.5, 0.4, 0.7].map((score, number) => someCandidate(number, { score })).reverse();
    expect(historyOf(someReport({ leaderboard })).best).toEqual([0.5, 0.5, 0.7]);
    expect(historyOf(someReport({ leaderboard, goal: 'minimize' })).best).toEqual([0.5, 0.4, 0.4]);
  });
});

describe('the dependence on a column', () => {
  it('of a binary target is that of the class that is meant, single rows behind it', () => {
    const one = {
      column: 'tenure',
      values: [1, 2],
      mean: [
        [0.3, 0.4],
        [0.7, 0.6]
      ],
      rows: [[0.9, 0.8]],
      of: 'yes'
    };
    const spec = dependenceSpec(one, someReport());
    expect(spec.series.map(series => series.name)).toEqual(['row 1', 'yes']);
    expect(spec.series[1]?.y).toEqual([0.7, 0.6]);
    expect(spec.y.title).toBe('probability of yes');
  });

  it('of categories has them as ticks', () => {
    const one = { column: 'plan', values: ['a', 'b', 'c'], mean: [[1, 2, 'NaN' as const]], rows: [], of: '' };
    const spec = dependenceSpec(one, someReport({ classes: [] }));
    expect(spec.x.ticks?.texts).toEqual(['a', 'b', 'c']);
    expect(spec.series[0]?.y).toEqual([1, 2, null]);
    expect(spec.y.title).toBe('prediction');
  });
});

describe('the diagram', () => {
  it('gathers columns that go the same way, and leaves out those that are not learnt from', () => {
    const branches = branchesOf([
      someColumn('a'),
      someColumn('b', { role: 'categorical', steps: ['one-hot'] }),
      someColumn('c'),
      someColumn('id', { role: 'dropped', steps: [] }),
      someColumn('y', { role: 'target' })
    ]);
    expect(branches.map(branch => branch.columns.map(column => column.name))).toEqual([['a', 'c'], ['b']]);
  });
});

describe('the ways into an ensemble', () => {
  it('have the steps of their members, and not those of the columns', () => {
    const columns = [
      someColumn('a', { steps: ['Imputer', 'Scaler'] }),
      someColumn('b', { steps: ['OneHotEncoder'] })
    ];
    expect(branchesOf(columns, { a: ['Imputer'], b: [] }).map(one => one.steps)).toEqual([['Imputer'], []]);
  });
});

describe('the map of many models', () => {
  it('has the values of the first column down and those of the others across, in natural order', () => {
    const map = heatOf([part('S10', 2, 0.5), part('S2', 1, 0.7), part('S2', 2, null)]);
    expect(map.rows).toEqual(['S2', 'S10']);
    expect(map.columns).toEqual(['1', '2']);
    expect(partName(part('S2', 1, 0.7))).toBe('store S2, week 1');
  });

  it('tells good from bad by the goal', () => {
    const partitions = [part('a', 1, 0.5), part('b', 1, 0.9), part('c', 1, null)];
    const up = goodness(someReport({ partitions }));
    expect(partitions.map(up)).toEqual([0, 1, null]);
    const down = goodness(someReport({ partitions, goal: 'minimize' }));
    expect(partitions.map(down)).toEqual([1, 0, null]);
  });
});
