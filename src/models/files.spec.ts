import { describe, expect, it } from 'vitest';
import { inContents, inWorkspace, workspaceFolder } from './files';

describe('workspaceFolder', () => {
  it('is empty when workspace and server have the same root', () => {
    expect(workspaceFolder('/srv/lab', '/srv/lab/')).toBe('');
    expect(workspaceFolder('/home/al/lab', '~/lab')).toBe('');
  });

  it('names the folder below the server’s root', () => {
    expect(workspaceFolder('/srv/lab/churn', '/srv/lab')).toBe('churn');
    expect(workspaceFolder('/home/al/lab/churn/v2', '~/lab')).toBe('churn/v2');
  });

  it('is null when the workspace lies elsewhere', () => {
    expect(workspaceFolder('/srv/laboratory', '/srv/lab')).toBeNull();
    expect(workspaceFolder('/data/churn', '~/lab')).toBeNull();
  });

  it('reads a Windows path', () => {
    expect(workspaceFolder('C:\\lab\\churn', 'C:/lab')).toBe('churn');
  });
});

describe('paths', () => {
  it('go from the contents to the workspace and back', () => {
    expect(inWorkspace('churn/train.py', 'churn')).toBe('train.py');
    expect(inWorkspace('train.py', '')).toBe('train.py');
    expect(inWorkspace('other/train.py', 'churn')).toBeNull();
    expect(inContents('train.py', 'churn')).toBe('churn/train.py');
    expect(inContents('train.py', '')).toBe('train.py');
  });
});
