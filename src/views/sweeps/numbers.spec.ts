import { describe, expect, it } from 'vitest';

import {
  asCosts,
  bestSoFar,
  edf,
  gridded,
  hypervolume,
  hypervolumeHistory,
  paretoFront,
  ranks,
  thinned
} from './numbers';

describe('the best so far', () => {
  it('follows the goal and waits over trials without a value', () => {
    expect(bestSoFar([null, 3, 1, null, 5], 'maximize')).toEqual([null, 3, 3, 3, 5]);
    expect(bestSoFar([4, 5, 2, 3], 'minimize')).toEqual([4, 4, 2, 2]);
  });
});

describe('the distribution of values', () => {
  it('counts equal values as one step', () => {
    expect(edf([3, 1, 2, 2])).toEqual({ x: [1, 2, 3], y: [0.25, 0.75, 1] });
    expect(edf([])).toEqual({ x: [], y: [] });
  });
});

describe('the Pareto front', () => {
  it('has what no other beats in everything', () => {
    const points = [
      [1, 5],
      [2, 3],
      [3, 4],
      [4, 1],
      [2, 3]
    ];
    expect(paretoFront(points)).toEqual([0, 1, 3, 4]);
  });

  it('turns what is to be large around', () => {
    const costs = asCosts(
      [
        [0.9, 10],
        [0.8, 5],
        [0.7, 20]
      ],
      ['maximize', 'minimize']
    );
    expect(costs[2]).toEqual([-0.7, 20]);
    expect(paretoFront(costs)).toEqual([0, 1]);
  });
});

describe('the hypervolume', () => {
  it('is the area that two objectives cover', () => {
    // Three rectangles below (4, 4): 3x1, then 2x1 more, then 1x1 more.
    const points = [
      [1, 3],
      [2, 2],
      [3, 1]
    ];
    expect(hypervolume(points, [4, 4])).toBe(6);
    expect(hypervolume([...points, [3, 3]], [4, 4])).toBe(6);
    expect(hypervolume([[5, 0]], [4, 4])).toBe(0);
  });

  it('is a volume with three objectives', () => {
    expect(hypervolume([[0, 0, 0]], [2, 3, 4])).toBe(24);
    // Two boxes of 2x2x1 and 1x1x2 that share 1x1x1.
    expect(
      hypervolume(
        [
          [0, 0, 1],
          [1, 1, 0]
        ],
        [2, 2, 2]
      )
    ).toBe(4 + 2 - 1);
  });

  it('grows only with the front, from the worst that was seen', () => {
    const { reference, history } = hypervolumeHistory([
      [3, 3],
      [1, 2],
      [2, 4],
      [4, 1]
    ]);
    expect(reference).toEqual([4, 4]);
    expect(history).toEqual([1, 6, 6, 6]);
  });
});

describe('ranks', () => {
  it('go from 0 to 1, and equal values share theirs', () => {
    expect(ranks([10, 30, 20])).toEqual([0, 1, 0.5]);
    expect(ranks([1, 1, 3])).toEqual([0.25, 0.25, 1]);
    expect(ranks([7])).toEqual([0.5]);
  });
});

describe('heights between points', () => {
  it('lie between the values, near a point near its value', () => {
    const z = gridded({ x: [0, 1], y: [0, 1], z: [0, 10] }, [0, 0.5, 1], [0, 0.5, 1]);
    expect(z[1]![1]).toBeCloseTo(5);
    expect(z[0]![0]).toBeLessThan(0.1);
    expect(z[2]![2]).toBeGreaterThan(9.9);
  });
});

describe('thinning', () => {
  it('keeps both ends', () => {
    expect(thinned(5, 9)).toEqual([0, 1, 2, 3, 4]);
    expect(thinned(101, 5)).toEqual([0, 25, 50, 75, 100]);
  });
});
