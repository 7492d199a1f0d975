import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { Chart, Run } from '../../api/types';
import { type StudioModel } from '../../models/studio';
import { type Question, TestServer, refused } from '../../testing/server';
import { CommandIDs } from '../../tokens';
import { someRun } from '../../testing/run';
import { readCard } from './data';
import { confusionOf, rocCurves } from './evaluation';
import { RunCardView } from './index';

/** Clicks, and waits for what that sets off. */
const click = (element: HTMLElement): Promise<void> =>
  act(async () => {
    fireEvent.click(element);
    await Promise.resolve();
  });

const EVIL = '<img src=x onerror=alert(1)>\u202e';

const DATA = {
  run_id: 'r1',
  workspace: null,
  name: 'forest',
  static: {
    name: 'forest',
    experiment: 'churn',
    status: 'Running',
    reason: '',
    duration_s: 12.3,
    origin: 'cell 4 of quickstart.ipynb',
    params: { depth: '8' },
    metrics: { accuracy: '0.95' }
  }
};

function show(
  server: TestServer,
  data: unknown = DATA
): { studio: StudioModel; execute: ReturnType<typeof vi.fn>; container: HTMLElement } {
  const studio = server.studio();
  const execute = vi.fn(() => Promise.resolve(undefined));
  const { container } = render(<RunCardView studio={studio} execute={execute} data={readCard(data)} />);
  return { studio, execute, container };
}

/** Answers with what comes after the offset that is asked for. */
function logOf(text: string): (question: Question) => unknown {
  return ({ query }) => {
    const offset = Math.max(0, Number(query.get('offset')));
    return { text: text.slice(offset), offset, next_offset: text.length, size: text.length, live: true };
  };
}

function serverOf(run: Run, more: Record<string, (question: Question) => unknown> = {}): TestServer {
  return new TestServer({
    'GET workspaces': () => [],
    'GET experiments': () => [],
    [`GET runs/${run.id}`]: () => run,
    [`GET runs/${run.id}/charts`]: () => [],
    [`GET runs/${run.id}/logs`]: () => ({ text: '', offset: 0, next_offset: 0, size: 0, live: true }),
    ...more
  });
}

const RUNNING = someRun({
  status: 'Running',
  started_at: new Date(Date.now() - 41_000).toISOString(),
  ended_at: null,
  duration_s: 41,
  params: { n_estimators: '200' },
  metrics: { accuracy: 0.9531 },
  origin: {
    notebook: 'nb/quickstart.ipynb',
    cell_id: 'c4',
    cell_number: 4,
    script: null,
    host: null,
    git: null
  },
  progress: { done: 12, total: 50, text: 'epoch 12' },
  summaries: [
    {
      name: 'accuracy',
      last: 0.9531,
      last_step: 1,
      last_at: '',
      min: 0.5,
      max: 0.9531,
      count: 2,
      sparkline: [0.5, 0.9531]
    },
    {
      name: 'system/cpu_percent',
      last: 99,
      last_step: 1,
      last_at: '',
      min: 0,
      max: 99,
      count: 2,
      sparkline: [0, 99]
    }
  ]
});

describe('The card of a live run', () => {
  it('shows what it does, from where, and how far it is', async () => {
    const log = logOf('epoch 11\nepoch 12/50\n');
    const { execute } = show(serverOf(RUNNING, { 'GET runs/r1/logs': log }));
    await screen.findByText('running');
    expect(screen.getByText('00:41')).toBeTruthy();
    expect(screen.getByText('n_estimators').closest('[role=listitem]')?.textContent).toBe('n_estimators200');
    expect(screen.getByText('0.9531')).toBeTruthy();
    expect(screen.queryByText('system/cpu_percent')).toBeNull();
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('24');
    await screen.findByText('epoch 12/50');
    await click(screen.getByText('Stop'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.stopRun, { id: 'r1' });
    await click(screen.getByText('quickstart.ipynb'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.openFile, { path: 'nb/quickstart.ipynb', cellId: 'c4' });
  });

  it('opens the end of its log', async () => {
    const log = logOf('first\nlast\n');
    show(serverOf(RUNNING, { 'GET runs/r1/logs': log }));
    await click(await screen.findByTitle('Show the end of the log'));
    const tail = await screen.findByRole('log');
    await waitFor(() => expect(within(tail).getByText('first')).toBeTruthy());
  });

  it('says that it was disconnected, and goes on when the server is back', async () => {
    const server = serverOf(RUNNING);
    const { studio } = show(server);
    await screen.findByText('running');
    server.down = true;
    await act(() => studio.feed.poll());
    await screen.findByText(/Disconnected from the server/);
    server.down = false;
    await act(() => studio.feed.poll());
    await waitFor(() => expect(screen.queryByText(/Disconnected/)).toBeNull());
  });
});

describe('The card of a finished run', () => {
  const DONE = someRun({ metrics: { auc: 0.97 } });
  const CHARTS = [
    {
      name: 'roc_curve',
      schema_type: 'roc_curve',
      schema_version: '1.0.0',
      at: '',
      data: { curves: [{ label: '1', kind: 'class', fpr: [0, 1], tpr: [0, 1], thresholds: [], auc: 0.875 }] }
    },
    {
      name: 'confusion_matrix',
      schema_type: 'confusion_matrix',
      schema_version: '1.0.0',
      at: '',
      data: {
        class_labels: ['a', 'b'],
        matrix: [
          [3, 1],
          [0, 4]
        ]
      }
    }
  ] as Chart[];

  it('shows small charts and can be run again', async () => {
    const { execute } = show(serverOf(DONE, { 'GET runs/r1/charts': () => CHARTS }));
    await screen.findByText('finished');
    expect(await screen.findByText('AUC 0.875')).toBeTruthy();
    expect(screen.getByText('confusion')).toBeTruthy();
    expect(screen.queryByText('Register')).toBeNull();
    await click(screen.getByText('Run again'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.retryRun, { id: 'r1' });
  });

  it('offers to register the best of its experiment', async () => {
    const experiment = {
      id: 'e1',
      name: 'churn',
      primary_metric: 'auc',
      best_run: { run_id: 'r1', name: 'forest', value: 0.97 }
    };
    const { execute } = show(serverOf(DONE, { 'GET experiments': () => [experiment] }));
    await click(await screen.findByText('Register'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.registerModel, { runId: 'r1' });
  });

  it('does not read the log of a finished run before it is asked to', async () => {
    const server = serverOf(DONE);
    show(server);
    await screen.findByText('finished');
    expect(server.count('GET runs/r1/logs')).toBe(0);
  });
});

describe('The card of a run that nobody knows', () => {
  it('shows what was known when it was shown, and says so', async () => {
    show(new TestServer({ 'GET workspaces': () => [] }));
    await screen.findByText(/This workspace does not know the run/);
    expect(screen.getByText('cell 4 of quickstart.ipynb', { exact: false })).toBeTruthy();
    expect(screen.getByText('0.95')).toBeTruthy();
    expect(screen.queryByText('Stop')).toBeNull();
  });

  it('says when the server does not answer, and tries again', async () => {
    const server = new TestServer({
      'GET workspaces': () => [],
      'GET experiments': () => [],
      'GET runs/r1': () => refused(503, 'unavailable', 'The database is locked.')
    });
    show(server);
    await screen.findByText(/The database is locked/);
    server.set('GET runs/r1', () => RUNNING);
    await click(screen.getByText('Retry'));
    expect(await screen.findByText('Stop')).toBeTruthy();
  });

  it('shows strange names as text, and does not break over data of the wrong type', async () => {
    const data = {
      run_id: 'r9',
      name: EVIL,
      static: { params: { [EVIL]: EVIL }, metrics: 'none', status: 7, duration_s: 'x', origin: ['a'] }
    };
    const { container } = show(new TestServer({ 'GET workspaces': () => [] }), data);
    await screen.findByText(/does not know the run/);
    expect(container.querySelector('img')).toBeNull();
    expect(container.textContent).toContain('<img src=x onerror=alert(1)>[U+202E]');
    expect(readCard(null)).toMatchObject({ runId: '', name: 'run', workspace: null });
  });
});

describe('Charts of a card', () => {
  const chart = (data: Record<string, unknown>): Chart => ({ data }) as unknown as Chart;

  it('leave out what cannot be drawn', () => {
    expect(rocCurves(chart({ curves: [null, { fpr: 'x' }, { fpr: [0], tpr: [1], auc: 1 }] }))).toHaveLength(
      1
    );
    expect(rocCurves(undefined)).toEqual([]);
    expect(confusionOf(chart({ matrix: [[1, 2]], class_labels: ['a'] }))).toBeNull();
    expect(confusionOf(chart({ matrix: [['1']], class_labels: ['a'] }))).toBeNull();
  });
});

describe('The card of a run of another workspace', () => {
  it('is live, but offers nothing that would be done in this one', async () => {
    const server = serverOf(RUNNING, {
      'GET workspaces': () => [
        { id: 'w1', name: 'here', path: '/here', exists: true, current: true },
        { id: 'w2', name: 'there', path: '/there', exists: true, current: false }
      ]
    });
    show(server, { ...DATA, workspace: '/there' });
    await screen.findByText('running');
    expect(screen.getByText(/in another workspace/)).toBeTruthy();
    expect(screen.queryByText('Stop')).toBeNull();
    const asked = server.asked.find(one => one.path === 'runs/r1');
    expect(asked?.query.get('workspace')).toBe('w2');
  });
});
