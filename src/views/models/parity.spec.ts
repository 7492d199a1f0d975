import { describe, expect, it } from 'vitest';

import type { ParityReport } from '../../api/types';

import { agrees, attemptText, differenceText, dtypeText, paritySentence, statusSentence } from './parity';

const REPORT: ParityReport = {
  rows: 200,
  ties: 0,
  label_flips: 0,
  max_abs_difference: 2.104e-7,
  mean_abs_difference: 3e-9,
  quantiles: { '0.5': 1e-9, '0.99': 2e-7 },
  tolerance: 1e-4,
  dtype: 'float64',
  opset: 21,
  worst_rows: [17, 3],
  attempts: [],
  runtime: 'onnxruntime 1.31.1',
  policy: { max_label_flips: 0, max_abs_difference: 1e-4, quantile: 1 },
  worst: [],
  recorded: ''
};

describe('the parity report', () => {
  it('of a classifier speaks of labels and probabilities', () => {
    expect(paritySentence(REPORT)).toBe(
      'Compared with the original on 200 rows: the same labels, a largest difference of 2.1e-7 in probability; the tolerance is 1e-4.'
    );
    expect(agrees(REPORT)).toBe(true);
  });

  it('says how many rows get another label', () => {
    const report = { ...REPORT, label_flips: 12, max_abs_difference: 0.96 };
    expect(paritySentence(report)).toContain(
      'another label on 12 of 200 rows, a largest difference of 0.96 in probability'
    );
    expect(agrees(report)).toBe(false);
  });

  it("of a regressor speaks of the target's scale", () => {
    const report: ParityReport = { ...REPORT, rows: 1, label_flips: null, max_abs_difference: 'NaN' };
    expect(paritySentence(report)).toBe(
      "Compared with the original on 1 row: a largest difference of NaN of the target's scale; the tolerance is 1e-4."
    );
    expect(agrees(report)).toBe(false);
  });

  it('names each rung and what became of it', () => {
    const attempt = {
      dtype: 'float64',
      label_flips: null,
      max_abs_difference: null,
      mean_abs_difference: null
    };
    expect(attemptText({ ...attempt, accepted: false, error: 'no converter for SplineTransformer' })).toBe(
      'no converter for SplineTransformer'
    );
    expect(attemptText({ ...attempt, accepted: false, error: '' })).toBe('not close enough');
    expect(attemptText({ ...attempt, accepted: true, error: '' })).toBe('chosen');
    expect(dtypeText('float32')).toBe('float32 throughout');
    expect(dtypeText('bfloat16')).toBe('bfloat16');
  });

  it.each([
    [null, '-'],
    [0, '0'],
    ['Infinity', 'Infinity'],
    [1, '1'],
    [1.5e-7, '1.5e-7'],
    [2e-7, '2e-7'],
    [0.05, '0.05'],
    [1e-4, '1e-4']
  ] as const)('writes the difference %j as %s', (value, text) => {
    expect(differenceText(value)).toBe(text);
  });

  it('says what a status is good for', () => {
    expect(statusSentence('Ready')).toContain('It can be deployed');
    expect(statusSentence('Refused')).toContain('cannot be deployed');
    expect(statusSentence('Converting')).toContain('when that is done');
  });
});
