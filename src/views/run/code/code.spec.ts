import { describe, expect, it } from 'vitest';

import type { Snapshot } from '../../../api/types';
import { someRun } from '../../../testing/run';
import { CELL, choicesOf } from './tab';

const SNAPSHOT: Snapshot = {
  id: 's',
  entry: 'cell.py',
  files: [
    { path: 'helper.py', size_bytes: 10 },
    { path: 'cell.py', size_bytes: 20 }
  ] as Snapshot['files'],
  left_out: [],
  patch: ''
};

describe('the files that ran', () => {
  it('have a cell once', () => {
    const run = someRun({});
    const cell = { ...run, spec: { ...run.spec, cell: 'x = 1' } };
    expect(choicesOf(cell, SNAPSHOT).map(one => one.id)).toEqual([CELL, 'helper.py']);
  });

  it('begin with what was started', () => {
    const run = someRun({});
    const script = { ...run, spec: { ...run.spec, cell: null } };
    expect(choicesOf(script, SNAPSHOT).map(one => one.id)).toEqual(['cell.py', 'helper.py']);
  });
});
