import { describe, expect, it, vi } from 'vitest';
import type { MetricSeries } from '../api/types';
import { TestServer } from '../testing/server';
import { FinerPoints, refined } from './finer';

function series(steps: number[], values = steps): MetricSeries {
  return { name: 'loss', steps, times: steps, values, total: 100, sampled: true, non_finite: 0 };
}

describe('finer points', () => {
  it('are asked for once when a zoom settles, with its ends', async () => {
    const server = new TestServer({ 'GET runs/r/series': () => [series([10, 11, 12])] });
    const found = vi.fn();
    const finer = new FinerPoints(server.client, 'r', found);
    finer.ask(['loss'], { from_step: 0, to_step: 50 });
    finer.ask(['loss'], { from_step: 10, to_step: 12 });
    await vi.waitFor(() => expect(found).toHaveBeenCalled());
    expect(found).toHaveBeenCalledTimes(1);
    expect(server.count('GET runs/r/series')).toBe(1);
    expect(server.asked[0]?.query.get('from_step')).toBe('10');
    expect(server.asked[0]?.query.get('to_step')).toBe('12');
  });

  it('that come after the zoom ended are not told', async () => {
    let answer = (): void => undefined;
    const server = new TestServer({
      'GET runs/r/series': () => new Promise(resolve => (answer = () => resolve([series([1])])))
    });
    const found = vi.fn();
    const finer = new FinerPoints(server.client, 'r', found);
    finer.ask(['loss'], { from_step: 0, to_step: 2 });
    await vi.waitFor(() => expect(server.count('GET runs/r/series')).toBe(1));
    finer.cancel();
    answer();
    await new Promise(resolve => setTimeout(resolve, 10));
    expect(found).not.toHaveBeenCalled();
  });

  it('take the place of the coarse ones there, and no other', () => {
    const drawn = refined(series([0, 20, 40, 60]), series([18, 19, 20, 21]), { from_step: 18, to_step: 21 });
    expect(drawn.steps).toEqual([0, 18, 19, 20, 21, 40, 60]);
    expect(drawn.values).toEqual([0, 18, 19, 20, 21, 40, 60]);
  });

  it('leave points that came since', () => {
    const drawn = refined(series([0, 5, 10]), series([4, 5, 6]), { from_time: 4, to_time: 20 });
    expect(drawn.times).toEqual([0, 4, 5, 6, 10]);
  });
});
