import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { Graph } from '../../api/types';
import { readBatches } from './batches';
import { someRun } from '../../testing/run';
import { TestServer } from '../../testing/server';
import { CommandIDs } from '../../tokens';
import { GraphView, nodesWith, tensorText } from './graph';
import { ProfileView, measuredRows, suggestionText } from './profile';

const GRAPH: Graph = {
  ir_version: 10,
  opsets: { 'ai.onnx': 21, 'ai.onnx.ml': 3 },
  producer: 'skl2onnx',
  producer_version: '1.20',
  domain: '',
  model_version: 0,
  doc: '',
  metadata: {},
  name: 'g',
  inputs: [{ name: 'X', type: 'double', shape: ['?', 30] }],
  outputs: [{ name: 'label', type: 'int64', shape: ['?'] }],
  initialisers: [{ name: 'W', type: 'float', shape: [30, 2] }],
  initialiser_count: 1,
  parameters: 60,
  nodes: [
    { name: 'mul', op: 'MatMul', domain: '', inputs: ['X', 'W'], outputs: ['z'], attributes: {} },
    {
      name: 'pick',
      op: 'ArrayFeatureExtractor',
      domain: 'ai.onnx.ml',
      inputs: ['z'],
      outputs: ['label'],
      attributes: { axis: '1' }
    }
  ],
  node_count: 2,
  operators: { MatMul: 1, 'ai.onnx.ml:ArrayFeatureExtractor': 1 },
  values: [],
  whole: true
};

describe('the graph of a version', () => {
  it('is read when it is asked for, with its operators, shapes and opset', async () => {
    const server = new TestServer({ 'GET models/churn/versions/2/graph': () => GRAPH });
    const { container } = render(<GraphView studio={server.studio()} name="churn" version={2} />);
    expect(server.count('GET models/churn/versions/2/graph')).toBe(0);
    const details = container.querySelector('details') as HTMLDetailsElement;
    await act(() => {
      details.open = true;
      fireEvent(details, new Event('toggle'));
      return Promise.resolve();
    });
    const rows = (await screen.findByRole('table', { name: 'Operators' })).querySelectorAll('tbody tr');
    expect(rows[0]?.textContent).toBe('1MatMulmulXdouble[?, 30]Wfloat[30, 2]z-');
    expect(container.textContent).toContain('ai.onnx 21, ai.onnx.ml 3');
    fireEvent.change(screen.getByLabelText('Operator'), { target: { value: 'MatMul' } });
    expect(screen.getByText('1 of 2')).toBeTruthy();
    fireEvent.change(screen.getByLabelText('Search the graph'), { target: { value: 'nothing' } });
    expect(screen.getByText('No operator is like that.')).toBeTruthy();
  });

  it('is searched by operator, node and tensor', () => {
    expect(nodesWith(GRAPH, 'w', '').map(row => row.number)).toEqual([1]);
    expect(nodesWith(GRAPH, 'PICK', '').map(row => row.number)).toEqual([2]);
    expect(nodesWith(GRAPH, '', 'ai.onnx.ml:ArrayFeatureExtractor')).toHaveLength(1);
    expect(tensorText(GRAPH.inputs[0]!)).toBe('double[?, 30]');
  });
});

describe('the profile of a version', () => {
  const REGISTERED = '2020-01-01T00:00:00Z';
  const data = {
    columns: ['rows', 'threads', 'median_ms', 'p95_ms', 'rows_per_s', 'memory_mb'],
    rows: [[100, 1, 0.5, 0.75, 200_000, 90.4]]
  };

  it('shows what the newest run measured, and what it suggests', async () => {
    const run = someRun({
      id: 'p1',
      name: 'profile churn 2',
      metrics: { 'suggested/threads': 1, 'suggested/memory_mb': 308 }
    });
    const calls: unknown[] = [];
    const server = new TestServer({
      'GET runs': () => ({
        items: [someRun({ name: 'profile churn 21' }), run],
        total: 2,
        next_page_token: null
      }),
      'GET runs/p1/charts': () => [
        { name: 'profile', schema_type: 'table', schema_version: '1.0.0', data, at: '' }
      ]
    });
    render(
      <ProfileView
        studio={server.studio()}
        name="churn"
        version={2}
        since={REGISTERED}
        execute={(command, args) => {
          calls.push([command, args]);
          return Promise.resolve();
        }}
      />
    );
    const row = (await screen.findByRole('table', { name: 'Profile' })).querySelector('tbody tr');
    expect(row?.textContent).toContain('0.5');
    expect(screen.getByText(/308 MB of memory/)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Profile again' }));
    await waitFor(() => expect(calls).toEqual([[CommandIDs.profileVersion, { name: 'churn', version: 2 }]]));
  });

  it('is made when there is none, or only one of a deleted version of that number', async () => {
    const run = someRun({ name: 'profile churn 2', created_at: '2019-12-31T23:59:00Z' });
    for (const items of [[], [run]]) {
      const server = new TestServer({ 'GET runs': () => ({ items, total: 1, next_page_token: null }) });
      const execute = (): Promise<unknown> => Promise.resolve();
      const view = render(
        <ProfileView studio={server.studio()} name="churn" version={2} since={REGISTERED} execute={execute} />
      );
      await screen.findByText(/A profile measures/);
      view.unmount();
    }
  });

  it('is read from the table that the run keeps', () => {
    expect(measuredRows([{ name: 'profile', data }])[0]?.['rows_per_s']).toBe(200_000);
    expect(measuredRows([{ name: 'other', data }])).toEqual([]);
    expect(suggestionText({})).toBe('');
  });

  it('takes up to twelve numbers of rows', () => {
    expect(readBatches('1, 10 100')).toEqual([1, 10, 100]);
    expect(readBatches('0')).toBeNull();
    expect(readBatches('100001')).toBeNull();
    expect(readBatches('')).toBeNull();
  });
});
