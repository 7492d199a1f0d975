import { describe, expect, it } from 'vitest';

import {
  aliasError,
  modelNameError,
  registerPython,
  registerRequest,
  suggestedModelName,
  toleranceError
} from './names';

const FIELDS = { name: 'churn', alias: '', path: 'model', tolerance: '' };

describe('registering', () => {
  it('sends what was filled in, and nothing else', () => {
    expect(registerRequest('r1', FIELDS)).toEqual({ name: 'churn', run_id: 'r1', path: 'model' });
    expect(registerRequest('r1', { ...FIELDS, alias: 'champion', tolerance: '1e-3' })).toEqual({
      name: 'churn',
      run_id: 'r1',
      path: 'model',
      alias: 'champion',
      tolerance: 0.001
    });
  });

  it('equals a line of Python', () => {
    expect(registerPython({ name: 'churn', run_id: 'r1', path: 'model' })).toBe(
      'jupyter_mlstudio.get_run("r1").register("churn")'
    );
    const request = registerRequest('r1', {
      ...FIELDS,
      path: 'deep/model',
      alias: 'champion',
      tolerance: '1e-3'
    });
    expect(registerPython(request)).toBe(
      'jupyter_mlstudio.get_run("r1").register("churn", path="deep/model", alias="champion", tolerance=0.001)'
    );
  });

  it.each([
    [{ name: 'forest-3', experiment: 'churn' }, 'churn'],
    [{ name: 'forest-3', experiment: 'Default' }, 'forest'],
    [{ name: 'x', experiment: '<img src=x onerror=window.__x=1>' }, '<img src=x onerror=window.__x=1>'],
    [{ name: 'x', experiment: 'a/b' }, 'a-b'],
    [{ name: 'x', experiment: '\u200b' }, 'model']
  ])('of %j suggests the name %s', (run, name) => {
    expect(suggestedModelName(run)).toBe(name);
  });

  it.each([
    ['', 'A model needs a name.'],
    ['a'.repeat(129), 'The name has at most 128 characters, not 129.'],
    ['a/b', 'The name has no slashes and is not just dots.'],
    ['..', 'The name has no slashes and is not just dots.'],
    [' a', 'The name has no space at its beginning or end.'],
    ['a\u202eb', 'The name holds a character that cannot be seen.']
  ])('refuses the name %j', (name, message) => {
    expect(modelNameError(name)).toBe(message);
  });

  it('refuses aliases that stand for versions already', () => {
    expect(aliasError('')).toBeNull();
    expect(aliasError('champion')).toBeNull();
    for (const alias of ['12', 'v3', 'Latest']) {
      expect(aliasError(alias)).toContain('stand for versions already');
    }
    expect(aliasError('-x')).toContain('begins with a letter');
  });

  it('takes any tolerance of at least 0', () => {
    expect(toleranceError('')).toBeNull();
    expect(toleranceError('0')).toBeNull();
    expect(toleranceError('-1')).not.toBeNull();
    expect(toleranceError('small')).not.toBeNull();
  });
});
