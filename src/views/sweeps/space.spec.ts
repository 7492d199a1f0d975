import { describe, expect, it } from 'vitest';

import { describeDistribution, parseDistribution, suggestDistribution } from './space';

describe('a distribution as text', () => {
  it.each([
    ['loguniform(-6,-1)', { type: 'loguniform', min_value: -6, max_value: -1 }],
    ['int(1,1000,log)', { type: 'int', low: 1, high: 1000, log: true }],
    ['int(2,12,step=2)', { type: 'int', low: 2, high: 12, step: 2 }],
    ['float(0.00001,0.1,log)', { type: 'float', low: 0.00001, high: 0.1, log: true }],
    ['choice(relu,tanh)', { type: 'choice', values: ['relu', 'tanh'] }],
    ['choice(1,2.5,true,none,"a b")', { type: 'choice', values: [1, 2.5, true, null, 'a b'] }],
    ['qnormal(0,1,0.5)', { type: 'qnormal', mu: 0, sigma: 1, q: 0.5 }],
    [
      'choice({kernel: rbf, C: loguniform(-3,3)},{kernel: linear})',
      {
        type: 'choice',
        values: [
          { kernel: 'rbf', C: { type: 'loguniform', min_value: -3, max_value: 3 } },
          { kernel: 'linear' }
        ]
      }
    ]
  ])('reads and writes %s', (text, distribution) => {
    expect(parseDistribution(text)).toEqual(distribution);
    expect(describeDistribution(distribution)).toBe(text);
  });

  it.each([
    ['uniform(0)', /max_value is missing/],
    ['uniform(1,0)', /above the upper bound/],
    ['gauss(0,1)', /no distribution/],
    ['0.5', /Write a distribution/],
    ['choice()', /at least one value/],
    ['uniform(0,1', /is expected where the end is/],
    ["choice('a)", /never closed/],
    ['uniform(a,b)', /Write numbers/],
    ['int(1,2,3,4,5)', /int\(low, high, step, log\)/]
  ])('says what is wrong with %s', (text, message) => {
    expect(() => parseDistribution(text)).toThrow(message);
  });
});

describe('the distribution to begin with', () => {
  it.each([
    [0.01, 'float(0.001,0.1,log)'],
    [0.5, 'float(0,1)'],
    [8, 'int(2,32)'],
    [200, 'int(50,800,log)'],
    [2.5, 'float(0.63,10)'],
    [-2, 'float(-4,0)'],
    [true, 'choice(true,false)'],
    ['relu', 'choice(relu)']
  ])('is around the value %s', (value, text) => {
    expect(suggestDistribution(value)).toBe(text);
    expect(() => parseDistribution(text)).not.toThrow();
  });
});
