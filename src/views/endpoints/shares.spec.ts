import { describe, expect, it } from 'vitest';
import { moved, readSteps, same } from './shares';

describe('shares of the traffic', () => {
  it.each([
    [{ blue: 100, green: 0 }, 'green', 10, { blue: 90, green: 10 }],
    [{ blue: 50, green: 50 }, 'blue', 100, { blue: 100, green: 0 }],
    [{ a: 33, b: 33, c: 34 }, 'a', 1, { a: 1, b: 49, c: 50 }],
    [{ a: 100, b: 0, c: 0 }, 'a', 0, { a: 0, b: 50, c: 50 }],
    [{ blue: 100 }, 'blue', 20, { blue: 100 }],
    [{ blue: 100 }, 'green', 30, { blue: 70, green: 30 }],
    [{ blue: 60, green: 40 }, 'blue', 140, { blue: 100, green: 0 }]
  ])('%j with %s at %d becomes %j', (before, name, percent, after) => {
    expect(moved(before, name, percent)).toEqual(after);
  });

  it('always adds up to 100', () => {
    for (let percent = 0; percent <= 100; percent++) {
      const sum = Object.values(moved({ a: 17, b: 29, c: 54 }, 'b', percent)).reduce((x, y) => x + y, 0);
      expect(sum).toBe(100);
    }
  });

  it('is the same whatever is not named', () => {
    expect(same({ blue: 100 }, { blue: 100, green: 0 })).toBe(true);
    expect(same({ blue: 100 }, { blue: 90, green: 10 })).toBe(false);
  });

  it('reads steps that grow, and nothing else', () => {
    expect(readSteps('5, 25 100')).toEqual([5, 25, 100]);
    for (const text of ['', '50, 25', '0, 10', '101', 'x', '1.5']) {
      expect(readSteps(text)).toBeNull();
    }
  });
});
