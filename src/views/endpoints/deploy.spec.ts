import { describe, expect, it } from 'vitest';

import { deleteText, regenerateText, restartText, stopText } from './consequences';
import { deployPython, deployRequest, newNameError } from './deploy';

describe('deploying', () => {
  it('sends what was filled in, and nothing else', () => {
    expect(deployRequest('churn', { name: 'risk', version: '2', port: '', batch: false })).toEqual({
      name: 'risk',
      model: 'churn',
      version: '2'
    });
    expect(
      deployRequest('churn', { name: 'risk', version: 'champion', port: ' 8080 ', batch: false })
    ).toEqual({
      name: 'risk',
      model: 'churn',
      version: 'champion',
      port: 8080
    });
  });

  it('equals a line of Python', () => {
    expect(deployPython({ name: 'risk', model: 'churn', version: '2' })).toBe(
      'jupyter_mlstudio.deploy("churn", version=2, name="risk")'
    );
    expect(deployPython({ name: 'risk', model: 'churn', version: 'champion', port: 8080 })).toBe(
      'jupyter_mlstudio.deploy("churn", version="champion", name="risk", port=8080)'
    );
  });

  it('makes a batch endpoint when that is chosen, without a port', () => {
    const request = deployRequest('churn', { name: 'risk', version: '2', port: '8080', batch: true });
    expect(request).toEqual({ name: 'risk', model: 'churn', version: '2', batch: true });
    expect(deployPython(request)).toBe('jupyter_mlstudio.deploy_batch("churn", version=2, name="risk")');
  });

  it('refuses a name that is taken, in any case', () => {
    expect(newNameError('risk', [])).toBeNull();
    expect(newNameError('Risk', [{ name: 'risk' }])).toBe('There is an endpoint Risk already.');
  });
});

describe('the consequence', () => {
  const endpoint = {
    name: 'risk',
    state: 'Ready',
    deployments: [{ model: 'churn', version: 2 }]
  } as unknown as Parameters<typeof deleteText>[0];

  it('of stopping and restarting is said', () => {
    expect(stopText(endpoint)).toContain('answers no more requests');
    expect(restartText(endpoint)).toContain('requests are refused meanwhile');
    expect(restartText({ ...endpoint, state: 'Stopped' })).toContain('with the same URL and keys');
  });

  it('of deleting and of a new key is said', () => {
    expect(deleteText(endpoint)).toBe(
      'Deletes the endpoint risk with its URL and keys; churn v2 stays registered.'
    );
    expect(regenerateText(endpoint, 'primary')).toContain('The secondary key goes on');
  });
});
