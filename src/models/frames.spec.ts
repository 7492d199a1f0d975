import { describe, expect, it } from 'vitest';

import { framesOf, writeFrame } from './frames';

const hex = (text: string): string =>
  Array.from(new TextEncoder().encode(text), byte => byte.toString(16).padStart(2, '0')).join('');

describe('DataFrames of a kernel', () => {
  it('are read from what the kernel prints of a string', async () => {
    const frames = [{ name: 'Größe', rows: 3, columns: 2 }];
    expect(await framesOf(() => Promise.resolve(`'${hex(JSON.stringify(frames))}'`))).toEqual(frames);
  });

  it('become Parquet', async () => {
    const asked: string[] = [];
    const file = await writeFrame(
      code => Promise.resolve(String(asked.push(code))),
      'df',
      '/w/automl-data',
      'df-1'
    );
    expect(file).toBe('df-1.parquet');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('to_parquet');
    expect(asked[0]).toContain(hex('/w/automl-data/df-1.parquet'));
  });

  it('become CSV where Parquet cannot hold them, and never end up in the code as text', async () => {
    const asked: string[] = [];
    const file = await writeFrame(
      code => {
        asked.push(code);
        return code.includes('to_parquet') ? Promise.reject(new Error('mixed')) : Promise.resolve('1');
      },
      "x'); import os; ('",
      '/w'
    );
    expect(file).toMatch(/\.csv$/);
    expect(asked.join()).not.toContain('import os');
  });
});
