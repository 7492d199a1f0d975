import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { BatchDeployment, BatchEndpoint, Run } from '../../api/types';
import { someRun } from '../../testing/run';
import { type Answers, TestServer } from '../../testing/server';
import { CommandIDs } from '../../tokens';
import { answersAmong } from './answers';
import { BatchDeploymentForm, type BatchDeploymentRequest, scriptError } from './deploymentform';
import { ScoreForm, type ScoreRequest, dataError } from './scoreform';
import { batchDraft, batchOverrides, batchProblems, batchSettings } from './settings';
import { BatchView } from './view';

const SETTINGS = batchSettings(batchDraft());

const deployment = (name: string, more: Partial<BatchDeployment> = {}): BatchDeployment => ({
  name,
  model: 'churn',
  version: 2,
  settings: SETTINGS,
  script: null,
  ...more
});

const ENDPOINT: BatchEndpoint = {
  name: 'nightly',
  description: 'Every night.',
  default_deployment: 'default',
  deployments: [deployment('default'), deployment('mine', { script: 'score.py' })],
  jobs: 2,
  last_job: 'b1',
  user: 'ana',
  created_at: '2026-11-21T02:00:00Z',
  updated_at: '2026-11-21T02:00:00Z',
  etag: 1
};

const JOBS: Run[] = [
  someRun({
    id: 'b1',
    name: 'nightly on a.csv',
    kind: 'batch',
    status: 'Running',
    progress: { done: 3, total: 10, text: '' },
    metrics: { rows_answered: 2990, rows_failed: 10 }
  }),
  someRun({ id: 'b2', name: 'nightly on b.csv', kind: 'batch' })
];

async function show(answers: Answers = {}): Promise<[string, unknown][]> {
  const calls: [string, unknown][] = [];
  const studio = new TestServer({
    'GET batch-endpoints/nightly': () => ENDPOINT,
    'GET batch-endpoints/nightly/jobs': () => ({ items: JOBS, total: 2, next_page_token: null }),
    ...answers
  }).studio();
  const execute = (command: string, args?: unknown): Promise<unknown> => {
    calls.push([command, args]);
    return Promise.resolve();
  };
  render(<BatchView studio={studio} name="nightly" execute={execute} />);
  await screen.findByRole('heading', { name: 'nightly' });
  return calls;
}

const click = (name: string | RegExp, at = 0): Promise<void> =>
  act(() => Promise.resolve(void fireEvent.click(screen.getAllByRole('button', { name })[at]!)));

describe('a batch endpoint', () => {
  it('shows how far its jobs are, how many rows were answered, and where the answers are', async () => {
    const calls = await show();
    const row = (await screen.findByText('nightly on a.csv')).closest('tr');
    expect(row?.textContent).toContain('3 of 10');
    expect(row?.textContent).toContain('2990');
    await click('Download');
    await click('Score a data set');
    await click('nightly on b.csv');
    expect(calls).toEqual([
      [CommandIDs.downloadAnswers, { id: 'b2' }],
      [CommandIDs.scoreBatch, { name: 'nightly' }],
      [CommandIDs.openRun, { id: 'b2' }]
    ]);
  });

  it('shows what scores; the default deployment stays, what executes code is marked', async () => {
    await show();
    const rows = screen.getByRole('table', { name: 'Deployments' }).querySelectorAll('tbody tr');
    expect(rows[0]?.textContent).toContain('churn v2ONNX10\u202f000');
    expect(rows[1]?.textContent).toContain('script · executes code');
    const [first, second] = screen.getAllByRole<HTMLButtonElement>('button', { name: /^Remove/ });
    expect([first?.disabled, second?.disabled]).toEqual([true, false]);
  });

  it('says that nothing was scored', async () => {
    await show({
      'GET batch-endpoints/nightly/jobs': () => ({ items: [], total: 0, next_page_token: null })
    });
    await screen.findByText(/Nothing scored yet/);
  });

  it('that is not there says so, with a way to try again', async () => {
    const studio = new TestServer().studio();
    render(<BatchView studio={studio} name="gone" execute={() => Promise.resolve()} />);
    expect((await screen.findByRole('alert')).textContent).toContain('cannot be shown');
  });
});

describe('the form that scores a data set', () => {
  it('takes a path or pattern, a deployment, and only the settings that differ', async () => {
    const values: (ScoreRequest | null)[] = [];
    render(
      <ScoreForm
        studio={new TestServer().studio()}
        initial={{ endpoint: ENDPOINT }}
        onChange={value => values.push(value)}
      />
    );
    expect(values.at(-1)).toBeNull();
    fireEvent.change(screen.getByLabelText('Data'), { target: { value: '/etc/passwd' } });
    await screen.findByText(/without a slash in front/);
    fireEvent.change(screen.getByLabelText('Data'), { target: { value: 'data/*.csv' } });
    fireEvent.change(screen.getByLabelText('Deployment'), { target: { value: 'mine' } });
    fireEvent.change(screen.getByLabelText('Mini-batch'), { target: { value: '500' } });
    await waitFor(() =>
      expect(values.at(-1)?.request).toEqual({
        data: 'data/*.csv',
        deployment: 'mine',
        settings: { mini_batch_size: 500 }
      })
    );
    fireEvent.change(screen.getByLabelText('Mini-batch'), { target: { value: '0' } });
    expect(values.at(-1)).toBeNull();
    expect(screen.getByText(/A whole number from 1 to 10/)).toBeTruthy();
  });

  it('knows what is no data of the workspace', () => {
    expect(dataError('runs:/ab12/out')).toBeNull();
    expect(dataError('data')).toBeNull();
    expect(dataError('s3://bucket/x.csv')).toContain('Only data of this workspace');
    expect(dataError(' ')).toContain('is needed');
  });
});

describe('the form of a deployment', () => {
  it('takes a model, a script and settings', async () => {
    const values: (BatchDeploymentRequest | null)[] = [];
    const studio = new TestServer({
      'GET models': () => [{ name: 'churn', versions: [2, 1], aliases: {} }]
    }).studio();
    render(
      <BatchDeploymentForm
        studio={studio}
        initial={{ taken: ['default'] }}
        onChange={value => values.push(value)}
      />
    );
    fireEvent.change(await screen.findByLabelText('Deployment name'), { target: { value: 'default' } });
    expect(screen.getByText('There is a deployment default already.')).toBeTruthy();
    fireEvent.change(screen.getByLabelText('Deployment name'), { target: { value: 'second' } });
    fireEvent.change(screen.getByLabelText('Model'), { target: { value: 'churn' } });
    fireEvent.change(screen.getByLabelText(/Scoring script/), { target: { value: 'score.py' } });
    expect(values.at(-1)).toMatchObject({
      name: 'second',
      request: { model: 'churn', version: 'latest', script: 'score.py', settings: SETTINGS }
    });
    expect(scriptError('score.txt')).toContain('.py file');
  });
});

describe('the settings of a batch deployment', () => {
  it('say what is wrong', () => {
    const problems = batchProblems({ ...batchDraft(), output_file_name: 'x.xlsx', max_concurrency: '1.5' });
    expect(Object.keys(problems)).toEqual(['max_concurrency', 'output_file_name']);
    expect(batchProblems({ ...batchDraft(), output_file_name: 'errors.csv' })).not.toEqual({});
    expect(batchProblems({ ...batchDraft(), error_threshold: '-1' })).toEqual({});
  });

  it('are only sent for a job where they differ', () => {
    expect(batchOverrides(SETTINGS, batchDraft())).toEqual({});
    expect(batchOverrides(SETTINGS, { ...batchDraft(), timeout_s: '7' })).toEqual({ timeout_s: 7 });
  });
});

describe('the answers among what a job left', () => {
  it('are neither the summary nor the failures, unless only a summary was wanted', () => {
    expect(answersAmong(['errors.csv', 'out.parquet', 'summary.json'])).toBe('out.parquet');
    expect(answersAmong(['errors.csv', 'summary.json'])).toBe('summary.json');
    expect(answersAmong([])).toBeUndefined();
  });
});
