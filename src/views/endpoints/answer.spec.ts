import { describe, expect, it } from 'vitest';

import { answerError, readAnswer } from './answer';

const CLASSIFIER = {
  outputs: [
    { name: 'label', datatype: 'BYTES', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }
  ],
  labels: ['benign', 'malignant']
};

describe('an answer', () => {
  it('is a label with its probabilities, most probable first', () => {
    const response = {
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [2], data: ['malignant', 'benign'] },
        { name: 'probabilities', datatype: 'FP32', shape: [2, 2], data: [0.1, 0.9, 0.75, 0.25] }
      ]
    };
    const predictions = readAnswer(CLASSIFIER, response);
    expect(predictions.map(one => one.label)).toEqual(['malignant', 'benign']);
    expect(predictions[0]?.shares).toEqual([
      { label: 'malignant', probability: 0.9 },
      { label: 'benign', probability: 0.1 }
    ]);
    expect(predictions[1]?.values).toEqual([]);
  });

  it('takes the most probable class where no label is answered', () => {
    const response = { outputs: [{ name: 'p', datatype: 'FP64', shape: [1, 2], data: [[0.2, 0.8]] }] };
    expect(readAnswer(CLASSIFIER, response)[0]?.label).toBe('malignant');
  });

  it('of a regressor is its values', () => {
    const signature = { outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }], labels: [] };
    const response = { outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], data: [3.5, 4] }] };
    expect(readAnswer(signature, response)).toEqual([
      { label: null, shares: [], values: [{ name: 'y', values: [3.5] }] },
      { label: null, shares: [], values: [{ name: 'y', values: [4] }] }
    ]);
  });

  it('without outputs has no predictions', () => {
    expect(readAnswer(CLASSIFIER, {})).toEqual([]);
  });

  it('that is an error says what the endpoint said', () => {
    expect(answerError(200, {})).toBeNull();
    expect(answerError(400, { error: 'input x is missing' })).toBe('input x is missing');
    expect(answerError(503, {})).toBe('The endpoint answered with status 503.');
  });
});
