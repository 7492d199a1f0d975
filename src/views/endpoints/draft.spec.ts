import { describe, expect, it } from 'vitest';

import { firstDraft, readDraft, shapeOf, switched } from './draft';

const INPUTS = [{ name: 'x', datatype: 'FP64', shape: [-1, 2] }];
const SAMPLE = { inputs: [{ name: 'x', shape: [3, 2], datatype: 'FP64', data: [1, 2, 3, 4, 5, 6] }] };
const SHAPE = shapeOf(INPUTS, SAMPLE);

describe('the draft of a request', () => {
  it('begins with the first rows of the sample', () => {
    expect(firstDraft(SHAPE, SAMPLE)).toEqual({ mode: 'form', rows: [['1', '2'], ['3', '4']] }); // prettier-ignore
  });

  it('begins with an empty row without a sample, and with JSON for what is no table', () => {
    expect(firstDraft(SHAPE, null)).toEqual({ mode: 'form', rows: [['', '']] });
    const image = shapeOf([{ name: 'pixels', datatype: 'FP32', shape: [-1, 3, 8, 8] }], null);
    expect(firstDraft(image, null)).toEqual({ mode: 'json', text: '{\n  "inputs": []\n}' });
  });

  it('reads as the same request in both modes', () => {
    const form = firstDraft(SHAPE, SAMPLE);
    const json = switched(SHAPE, form);
    expect(json.mode).toBe('json');
    expect(readDraft(SHAPE, json)).toEqual(readDraft(SHAPE, form));
    expect(switched(SHAPE, json)).toEqual(form);
  });

  it('keeps JSON that is no rows as it is', () => {
    const broken = { mode: 'json' as const, text: '{"inputs": [' };
    expect(switched(SHAPE, broken)).toBe(broken);
  });

  it('says what is wrong', () => {
    const message = (text: string): unknown => {
      const read = readDraft(SHAPE, { mode: 'json', text });
      return 'message' in read ? read.message : null;
    };
    expect(message('{"inputs": [')).toContain('This is not JSON');
    expect(message('{}')).toContain('A request has "inputs"');
    expect(readDraft(SHAPE, { mode: 'form', rows: [['1', 'x'], ['', '2']] })).toMatchObject({
      message: '2 values do not fit their datatype.'
    }); // prettier-ignore
  });
});
