import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { type Mock, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ComputeTarget, Experiment, Run, RunSummary } from '../../api/types';
import { StudioModel } from '../../models/studio';
import { TestServer, refused } from '../../testing/server';
import { CommandIDs, type Execute } from '../../tokens';
import { someRun } from '../../testing/run';
import { Sidebar } from './index';
import { mainMetric } from './runrow';

/** Clicks, and waits for what that sets off. */
const click = (element: HTMLElement): Promise<void> =>
  act(async () => {
    fireEvent.click(element);
    await Promise.resolve();
  });

const EVIL = '<b onmouseover=alert(1)>\u202e' + 'x'.repeat(10_000);

const RUNNING: Run = someRun({
  id: 'r1',
  name: 'forest-3',
  status: 'Running',
  metrics: { accuracy: 0.9531, 'system/cpu_percent': 90 },
  progress: { done: 18, total: 40, text: '' }
});
const RUNS: RunSummary[] = [
  RUNNING,
  someRun({ id: 'r2', name: 'waiting', status: 'Queued', waits_for: 'CPU' }),
  someRun({ id: 'r3', name: EVIL, status: 'Failed', reason: 'MemoryError' })
];
const EXPERIMENT: Experiment = {
  id: 'e1',
  name: 'churn',
  description: '',
  primary_metric: 'accuracy',
  goal: 'maximize',
  created_at: '',
  archived_at: null,
  run_count: 3,
  live_count: 1,
  best_run: { run_id: 'r1', name: 'forest-3', value: 0.9531 }
};
const TARGET: ComputeTarget = {
  name: 'local',
  kind: 'local',
  slots: 2,
  slots_used: 1,
  queued: 1,
  cpus: 4,
  cpus_reserved: 1,
  cpu_percent: 63,
  memory_total_bytes: 16e9,
  memory_used_bytes: 7.1e9,
  memory_reserved_bytes: 0,
  gpus: [],
  disk_free_bytes: 1
};

describe('Sidebar', () => {
  let server: TestServer;
  let execute: Mock<Execute>;

  beforeEach(() => {
    execute = vi.fn<Execute>(() => Promise.resolve(undefined));
    server = new TestServer({
      'GET workspaces': () => [{ id: 'w', name: 'churn v', path: '/w', exists: true, current: true }],
      'GET runs': ({ query }) => {
        const items = RUNS.filter(run => run.name.includes(query.get('q') ?? ''));
        return { items, total: items.length, next_page_token: null };
      },
      'GET runs/r1': () => RUNNING,
      'GET experiments': () => [EXPERIMENT],
      'GET models': () => [],
      'GET endpoints': () => [],
      'GET batch-endpoints': () => [{ name: 'nightly', jobs: 3, deployments: [] }],
      'GET compute': () => [TARGET]
    });
  });

  function show(options: { exists?: boolean } = {}): { studio: StudioModel; container: HTMLElement } {
    const studio = new StudioModel({
      client: server.client,
      exists: () => Promise.resolve(options.exists ?? false)
    });
    const { container } = render(<Sidebar studio={studio} execute={execute} />);
    return { studio, container };
  }

  const section = (name: string): HTMLElement => screen.getByRole('region', { name });

  it('shows runs with status, progress and the metric that matters, and opens them', async () => {
    show();
    const row = (await screen.findByText('forest-3')).closest('button');
    expect(row?.textContent).toContain('18/40');
    expect(row?.textContent).toContain('0.9531');
    expect(row?.textContent).not.toContain('90');
    expect(screen.getByText('waits for CPU')).toBeTruthy();
    expect(screen.getByText('MemoryError')).toBeTruthy();
    expect(within(section('Runs')).getByText('1 live')).toBeTruthy();
    await click(row as HTMLElement);
    expect(execute).toHaveBeenCalledWith(CommandIDs.openRun, { id: 'r1' });
  });

  it('shows names as text, hidden characters made visible, long ones cut', async () => {
    const { container } = show();
    await screen.findByText('forest-3');
    expect(container.querySelector('b')).toBeNull();
    const name = container.querySelector('[data-run="r3"] .jp-mls-Name');
    expect(name?.textContent).toContain('<b onmouseover=alert(1)>[U+202E]');
    expect(name?.textContent?.length).toBeLessThan(400);
  });

  it('shows what compute is taken', async () => {
    show();
    await screen.findByText('local');
    expect(within(section('Compute')).getByText('1/2 slots, 1 queued')).toBeTruthy();
    expect(within(section('Compute')).getByText('63 %')).toBeTruthy();
    expect(within(section('Compute')).getByText('7.1 GB')).toBeTruthy();
  });

  it('shows batch endpoints under the endpoints, marked', async () => {
    show();
    const row = (await screen.findByText('nightly')).closest('button');
    expect(row?.textContent).toBe('nightlybatch3 jobs');
    expect(within(section('Endpoints')).getByText('nightly')).toBeTruthy();
    await click(row as HTMLElement);
    expect(execute).toHaveBeenCalledWith(CommandIDs.openBatch, { name: 'nightly' });
  });

  it('searches runs on the server and everything else here', async () => {
    show();
    await screen.findByText('forest-3');
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'waiting' } });
    await waitFor(() => expect(screen.queryByText('forest-3')).toBeNull());
    expect(screen.getByText('waiting')).toBeTruthy();
    expect(screen.getByText('No experiment is called that.')).toBeTruthy();
  });

  it('folds a section and remembers it', async () => {
    const { studio } = show();
    await screen.findByText('forest-3');
    await click(screen.getByRole('button', { name: 'Runs' }));
    expect(screen.queryByText('forest-3')).toBeNull();
    expect(studio.preferences.get('sidebar.runs', true)).toBe(false);
  });

  it('is walked with the arrow keys', async () => {
    show();
    const first = (await screen.findByText('forest-3')).closest('button');
    first?.focus();
    fireEvent.keyDown(first as HTMLElement, { key: 'ArrowDown' });
    expect(document.activeElement?.getAttribute('data-run')).toBe('r2');
  });

  it('explains an empty workspace and offers the quickstart notebook', async () => {
    server.set('GET runs', () => ({ items: [], total: 0, next_page_token: null }));
    show({ exists: true });
    await click(await screen.findByText('Open the quickstart notebook'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.openQuickstart, undefined);
  });

  it('gives the line to type when there is no quickstart notebook', async () => {
    server.set('GET runs', () => ({ items: [], total: 0, next_page_token: null }));
    show({ exists: false });
    expect(await screen.findByText('%load_ext jupyter_mlstudio')).toBeTruthy();
  });

  it('says what to do when the server does not know the extension', async () => {
    const { studio } = show();
    server.set('GET changes', () => new Response('<html>404</html>', { status: 404 }));
    await act(() => studio.feed.poll());
    expect(await screen.findByText('The ML Studio server extension does not answer')).toBeTruthy();
    expect(screen.queryByText('forest-3')).toBeNull();
  });

  it('says that the server is away, and that it is back', async () => {
    const { studio } = show();
    await screen.findByText('forest-3');
    server.down = true;
    await act(() => studio.feed.poll());
    expect(await screen.findByText('Disconnected.')).toBeTruthy();
    expect(screen.getByText('forest-3')).toBeTruthy();
    server.down = false;
    await act(() => studio.feed.poll());
    await waitFor(() => expect(screen.queryByText('Disconnected.')).toBeNull());
  });

  it('shows why one list could not be read beside the others', async () => {
    server.set('GET models', () => refused(503, 'unavailable', 'The database is locked.'));
    show();
    await screen.findByText('forest-3');
    expect(within(section('Models')).getByText('The database is locked.')).toBeTruthy();
    server.set('GET models', () => []);
    await click(within(section('Models')).getByText('Retry'));
    await screen.findByText('Register the best run to keep its model here.');
  });
});

describe('The metric that matters', () => {
  it('is the primary one, else the first of the run’s own', () => {
    const metrics = { 'system/cpu_percent': 1, loss: 2, accuracy: 3 };
    expect(mainMetric(metrics, 'accuracy')).toEqual(['accuracy', 3]);
    expect(mainMetric(metrics, 'missing')).toEqual(['loss', 2]);
    expect(mainMetric({ 'system/cpu_percent': 1 }, null)).toBeUndefined();
  });
});
