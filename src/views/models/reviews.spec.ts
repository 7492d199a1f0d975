import { describe, expect, it } from 'vitest';

import { breaksFirst, deltaText, sideText } from './comparison';
import { complete, reasonQuestion } from './questions';
import { PACKAGE_QUESTIONS, aliasNames, packageOptions, splitCard, thresholdProblem } from './reviews';

describe('what is decided about a version', () => {
  it('has a reason where one is needed', () => {
    const needed = [reasonQuestion(true, '')];
    expect(complete(needed, { reason: '  ' })).toBeNull();
    expect(complete(needed, { reason: ' it leaks ' })).toEqual({ reason: 'it leaks' });
    expect(complete([reasonQuestion(false, '')], {})).toEqual({ reason: '' });
  });

  it('has a threshold between 0 and 1', () => {
    expect(['0', '1', '1.2', 'x', ''].map(thresholdProblem)).not.toContain(null);
    expect(thresholdProblem('0.37')).toBeNull();
  });

  it('names protected aliases once', () => {
    expect(aliasNames('champion, production,champion, ')).toEqual(['champion', 'production']);
  });
});

describe('a package', () => {
  it('sends only the options of its target, as the server takes them', () => {
    const typed = { target: 'edge', limit_mb: '200', packages: 'yes', build: 'no', replicas: '2' };
    expect(packageOptions(complete(PACKAGE_QUESTIONS, typed) ?? {})).toEqual({ limit_mb: 200 });
    const image = complete(PACKAGE_QUESTIONS, { ...typed, target: 'kubernetes' }) ?? {};
    expect(packageOptions(image)).toEqual({ packages: true, build: false, replicas: 2 });
    expect(complete(PACKAGE_QUESTIONS, { target: 'kubernetes', replicas: '1.5' })).toBeNull();
  });
});

describe('a card', () => {
  it('is told apart from its metadata', () => {
    expect(splitCard('---\nlicense: mit\n---\n# churn\n')).toEqual({
      metadata: 'license: mit',
      text: '# churn\n'
    });
    expect(splitCard('# churn')).toEqual({ metadata: '', text: '# churn' });
  });
});

describe('a comparison', () => {
  it('says first what breaks a caller', () => {
    const change = { where: 'input', change: 'type', left: 'FP32', right: 'FP64' };
    const rows = breaksFirst([
      { ...change, name: 'a', breaks: false },
      { ...change, name: 'b', breaks: true }
    ]);
    expect(rows.map(row => row.name)).toEqual(['b', 'a']);
  });

  it('says how far two numbers lie apart, and - for what is not there', () => {
    expect(deltaText({ left: 0.5, right: 0.75 })).toBe('+0.25');
    expect(deltaText({ left: 'a', right: 1 })).toBe('');
    expect([sideText(null), sideText([1])]).toEqual(['-', '[1]']);
  });
});
