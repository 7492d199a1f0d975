import { describe, expect, it } from 'vitest';

import { endpointNameError, portError, suggestedEndpointName } from './name';

describe('the name of an endpoint', () => {
  it.each(['abc', 'cancer-risk', 'A-1', 'a'.repeat(32)])('may be %s', name => {
    expect(endpointNameError(name)).toBeNull();
  });

  it.each([
    ['', 'An endpoint needs a name.'],
    ['ab', 'The name has 3 to 32 characters, not 2.'],
    ['a'.repeat(33), 'The name has 3 to 32 characters, not 33.'],
    ['1abc', 'The name begins with a letter.'],
    ['-abc', 'The name begins with a letter.'],
    ['abc-', 'The name does not end with a dash.'],
    ['my model', 'The name has letters, digits and dashes, not spaces.'],
    ['my_model', 'The name has letters, digits and dashes, not "_".'],
    ['modèle', 'The name has letters, digits and dashes, not "è".']
  ])('may not be %j', (name, message) => {
    expect(endpointNameError(name)).toBe(message);
  });

  it.each([
    ['cancer_risk', 'cancer-risk'],
    ['2024 churn', 'churn'],
    ['x', 'endpoint'],
    ['<img src=x onerror=window.__x=1>', 'img-src-x-onerror-window-x-1'],
    ['a'.repeat(31) + '-b', 'a'.repeat(31)]
  ])('suggested for the model %j is allowed', (model, name) => {
    expect(suggestedEndpointName(model)).toBe(name);
    expect(endpointNameError(suggestedEndpointName(model))).toBeNull();
  });
});

describe('a port', () => {
  it('may be left to the studio', () => {
    expect(portError('')).toBeNull();
    expect(portError(' 8080 ')).toBeNull();
  });

  it.each(['80', '70000', '8080.5', 'http'])('may not be %s', text => {
    expect(portError(text)).toBe('A port is a whole number from 1024 to 65535.');
  });
});
