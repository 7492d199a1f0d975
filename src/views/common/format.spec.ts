import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatDuration,
  formatMillis,
  formatNumber,
  formatPercent,
  formatRelative,
  plural,
  shortened,
  visible
} from './format';

const nbsp = (text: string): string => text.replaceAll(' ', '\u00a0');

describe('formatNumber', () => {
  it.each([
    [0.953_123, '0.9531'],
    [0.142, '0.142'],
    [0, '0'],
    [-2.5, '-2.5'],
    [200, '200'],
    [1234, '1234'],
    [12_345, '12\u202f345'],
    [123_456.7, '123\u202f457'],
    [0.000_012_34, '1.234e-5'],
    [1e12, '1e12'],
    ['NaN', 'NaN'],
    ['Infinity', '∞'],
    ['-Infinity', '-∞'],
    [null, '-'],
    [undefined, '-']
  ] as const)('writes %s as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0.42, '0.4 s'],
    [12, '12 s'],
    [72, '1 min 12 s'],
    [3840, '1 h 04 min'],
    [180_000, '2 d 02 h']
  ])('writes %s seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(nbsp(text));
  });

  it('writes nothing known as a dash', () => {
    expect(formatDuration(null)).toBe('-');
  });
});

describe('other units', () => {
  it('writes bytes in decimal units', () => {
    expect([0, 999, 1500, 7.1e9].map(formatBytes)).toEqual(['0 B', '999 B', '1.5 kB', '7.1 GB'].map(nbsp));
  });

  it('writes a running clock that keeps its width', () => {
    expect([41.9, 3723].map(formatClock)).toEqual(['00:41', '1:02:03']);
  });

  it('writes latencies and shares', () => {
    expect(formatMillis(3.04)).toBe(nbsp('3 ms'));
    expect(formatMillis(null)).toBe('-');
    expect(formatPercent(0.634)).toBe(nbsp('63 %'));
  });

  it('writes moments relative to now', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(formatRelative('2026-11-21T11:58:00Z', now)).toBe('2\u00a0min ago');
    expect(formatRelative('2026-11-20T11:00:00Z', now)).toBe('yesterday');
    expect(formatRelative(null, now)).toBe('-');
  });

  it('counts', () => {
    expect([plural(1, 'run'), plural(10_000, 'run')]).toEqual(['1 run', '10\u202f000 runs']);
  });
});

describe('names', () => {
  it('show the characters that would hide or reorder them', () => {
    expect(visible('a\u202eb\u0000\u200bc\n')).toBe('a[U+202E]b␀[U+200B]c␊');
  });

  it('keep what is only unusual', () => {
    expect(visible('naïve 模型 👩‍🔬')).toBe('naïve 模型 👩‍🔬');
  });

  it('are cut in the middle, never within a character', () => {
    expect(shortened('👍'.repeat(1000), 11)).toBe(`${'👍'.repeat(5)}…${'👍'.repeat(5)}`);
  });
});
