import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { type Mock, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Experiment, RunSummary } from '../../api/types';
import { type StudioModel } from '../../models/studio';
import { someRun } from '../../testing/run';
import { TestServer, refused } from '../../testing/server';
import { CommandIDs, type Execute } from '../../tokens';
import { columnId, firstColumns, nextSort, orderBy, sortable } from './columns';
import { ExperimentView } from './index';

const EXPERIMENT: Experiment = {
  id: 'e1',
  name: 'churn',
  description: '',
  primary_metric: 'auc',
  goal: 'maximize',
  created_at: '2026-11-21T00:00:00Z',
  archived_at: null,
  run_count: 10_000,
  live_count: 0,
  best_run: { run_id: 'r2', name: 'run-2', value: 0.99 }
};
const COLUMNS = { params: ['depth'], metrics: ['auc', 'loss', 'system/cpu_percent'], tags: ['owner'] };
const COUNT = 10_000;

function runAt(index: number): RunSummary {
  return someRun({
    id: `r${index}`,
    name: `run-${index}`,
    metrics: { auc: index / COUNT, loss: 1 },
    params: { depth: String(index % 10) },
    status: index === 1 ? 'Running' : 'Completed'
  });
}

const click = (element: HTMLElement): Promise<void> =>
  act(async () => {
    fireEvent.click(element);
    await Promise.resolve();
  });

describe('The table of an experiment', () => {
  let server: TestServer;
  let studio: StudioModel;
  let execute: Mock<Execute>;

  beforeEach(() => {
    execute = vi.fn<Execute>(() => Promise.resolve(undefined));
    server = new TestServer({
      'GET experiments/e1': () => EXPERIMENT,
      'GET experiments/e1/columns': () => COLUMNS,
      'GET runs': ({ query }) => {
        const from = Number(query.get('page_token') ?? 0);
        const to = Math.min(COUNT, from + Number(query.get('max_results')));
        const items = Array.from({ length: to - from }, (_, index) => runAt(from + index));
        return { items, total: COUNT, next_page_token: to < COUNT ? String(to) : null };
      }
    });
    studio = server.studio();
  });

  async function show(): Promise<HTMLElement> {
    render(<ExperimentView studio={studio} id="e1" execute={execute} />);
    await screen.findByText('run-0');
    return screen.getByRole('table', { name: 'Runs' });
  }

  const lastQuery = (): URLSearchParams =>
    server.asked.filter(one => one.path === 'runs').at(-1)?.query ?? new URLSearchParams();
  const headers = (): string[] => screen.getAllByRole('columnheader').map(one => one.textContent ?? '');

  const state = (): string =>
    document.querySelector('.jp-mls-Experiment-state > [role=status]')?.textContent ?? '';

  it('compares what is selected, also when the selection changes', async () => {
    server.set('GET runs/r0', () => runAt(0));
    server.set('GET runs/r1', () => runAt(1));
    server.set('GET runs/r2', () => runAt(2));
    const table = await show();
    const boxes = within(table).getAllByRole('checkbox');
    await click(boxes[1]!);
    await click(boxes[2]!);
    expect(await screen.findByRole('heading', { name: 'Compare 2 runs' })).toBeTruthy();
    await click(boxes[3]!);
    expect(await screen.findByRole('heading', { name: 'Compare 3 runs' })).toBeTruthy();
    await click(boxes[1]!);
    expect(await screen.findByRole('heading', { name: 'Compare 2 runs' })).toBeTruthy();
  });

  it('draws only the rows in sight of ten thousand', async () => {
    const table = await show();
    expect(table.getAttribute('aria-rowcount')).toBe('10001');
    expect(within(table).getAllByRole('row').length).toBeLessThan(80);
    expect(state()).toBe('10\u202f000 runs');
  });

  it('begins with status, times, the primary metric and parameters, and marks the best run', async () => {
    await show();
    await waitFor(() =>
      expect(headers().slice(1)).toEqual(['Name', 'Status', 'Created', 'Duration', 'auc', 'loss', 'depth'])
    );
    const best = screen.getByTitle('The best run by the primary metric');
    expect(best.closest('tr')?.textContent).toContain('run-2');
  });

  it('reads the next page when the end of what is there comes into sight', async () => {
    const table = await show();
    const grid = table.parentElement as HTMLElement;
    grid.scrollTop = 100 * 28;
    await act(async () => {
      fireEvent.scroll(grid);
      await Promise.resolve();
    });
    await waitFor(() => expect(lastQuery().get('page_token')).toBe('100'));
    expect(await screen.findByText('run-110')).toBeTruthy();
  });

  it('sorts on the server, one way, the other, and not at all, and remembers it', async () => {
    await show();
    const header = await screen.findByRole('button', { name: 'auc' });
    await click(header);
    await waitFor(() => expect(lastQuery().get('order_by')).toBe('metrics.auc DESC'));
    expect(header.closest('th')?.getAttribute('aria-sort')).toBe('descending');
    await click(header);
    await waitFor(() => expect(lastQuery().get('order_by')).toBe('metrics.auc ASC'));
    expect(studio.preferences.get('experiment.e1', {})).toMatchObject({
      sort: { column: 'metrics.auc', descending: false }
    });
    await click(header);
    await waitFor(() => expect(lastQuery().get('order_by')).toBeNull());
  });

  it('filters by name, status and MLflow’s language, each a chip that can be removed', async () => {
    await show();
    fireEvent.change(screen.getByRole('combobox', { name: 'Status' }), { target: { value: 'Failed' } });
    await waitFor(() => expect(lastQuery().get('status')).toBe('Failed'));
    const query = screen.getByLabelText("Filter in MLflow's language, Enter applies it");
    fireEvent.change(query, { target: { value: 'metrics.auc > 0.9' } });
    fireEvent.submit(query);
    await waitFor(() => expect(lastQuery().get('filter')).toBe('metrics.auc > 0.9'));
    const chips = screen.getByRole('list', { name: 'Filters that are on' });
    expect(
      within(chips)
        .getAllByRole('listitem')
        .map(one => one.textContent)
    ).toEqual(['failed', 'metrics.auc > 0.9']);
    await click(within(chips).getByTitle('Remove: failed'));
    await waitFor(() => expect(lastQuery().get('status')).toBeNull());
    expect(lastQuery().get('filter')).toBe('metrics.auc > 0.9');
  });

  it('says at the filter what the server did not understand, and keeps the rows', async () => {
    await show();
    server.set('GET runs', () => refused(400, 'invalid', "Unknown word 'metricz'."));
    const query = screen.getByLabelText("Filter in MLflow's language, Enter applies it");
    fireEvent.change(query, { target: { value: 'metricz.auc > 1' } });
    fireEvent.submit(query);
    expect((await screen.findByRole('alert')).textContent).toBe("Unknown word 'metricz'.");
    expect(screen.getByText('run-0')).toBeTruthy();
  });

  it('selects runs one by one and in ranges, and acts on them', async () => {
    await show();
    await click(screen.getByLabelText('Select run-0'));
    expect((screen.getByText('Compare') as HTMLButtonElement).disabled).toBe(true);
    await act(async () => {
      fireEvent.click(screen.getByLabelText('Select run-3'), { shiftKey: true });
      await Promise.resolve();
    });
    expect(state()).toContain('4 selected');
    await click(screen.getByText('Compare'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.compareRuns, { runIds: ['r0', 'r1', 'r2', 'r3'] });
    await click(screen.getByText('Stop'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.stopRun, { ids: ['r1'] });
    expect((screen.getByText('Delete …') as HTMLButtonElement).disabled).toBe(true);
  });

  it('shows the columns that are chosen, and keeps the choice', async () => {
    await show();
    await click(screen.getByText('Columns'));
    await click(screen.getByLabelText('loss'));
    await click(screen.getByLabelText('owner'));
    expect(headers()).not.toContain('loss');
    expect(headers()).toContain('owner');
    expect(studio.preferences.get('experiment.e1', {})).toMatchObject({
      columns: ['run.status', 'run.created', 'run.duration', 'metrics.auc', 'params.depth', 'tags.owner']
    });
  });

  it('changes primary metric and goal by a command', async () => {
    await show();
    fireEvent.change(screen.getByLabelText('Goal'), { target: { value: 'minimize' } });
    expect(execute).toHaveBeenCalledWith(CommandIDs.editExperiment, {
      id: 'e1',
      change: { goal: 'minimize' }
    });
  });
});

describe('Columns', () => {
  it('sort by what the server can sort by', () => {
    expect(orderBy({ column: 'run.created', descending: true })).toBe('attributes.created DESC');
    expect(orderBy({ column: columnId('params', 'a b'), descending: false })).toBe('params.`a b` ASC');
    expect(sortable('run.progress')).toBe(false);
    expect(nextSort({ column: 'params.x', descending: false }, 'params.x')).toEqual({
      column: 'params.x',
      descending: true
    });
  });

  it('leave out the samples of the process at first', () => {
    expect(firstColumns(COLUMNS, null)).not.toContain('metrics.system/cpu_percent');
  });
});
