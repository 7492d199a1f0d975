import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { ModelVersion, NewVersion, ParityReport } from '../../api/types';
import { type Question, TestServer } from '../../testing/server';
import { CommandIDs } from '../../tokens';
import { RegisterForm } from './register';
import { VersionView } from './version';

const CANARY = '<img src=x onerror=window.__x=1>';
const AT = '2026-11-21T00:00:00Z';

const PARITY: ParityReport = {
  rows: 200,
  ties: 0,
  label_flips: 0,
  max_abs_difference: 2.1e-7,
  mean_abs_difference: 1e-9,
  quantiles: { '0.99': 2e-7 },
  tolerance: 1e-5,
  dtype: 'float64',
  opset: 21,
  worst_rows: [17],
  attempts: [
    {
      dtype: 'float64',
      label_flips: 0,
      max_abs_difference: 2.1e-7,
      mean_abs_difference: 1e-9,
      accepted: true,
      error: ''
    }
  ],
  runtime: 'onnxruntime 1.31.1',
  policy: { max_label_flips: 0, max_abs_difference: null, quantile: 1 },
  worst: [],
  recorded: ''
};

const VERSION: ModelVersion = {
  model: 'churn',
  version: 2,
  status: 'Ready',
  reason: '',
  run_id: null,
  source: 'model',
  convert_run_id: null,
  framework: 'scikit-learn',
  description: '',
  user: 'ada',
  created_at: AT,
  aliases: ['champion'],
  tags: {},
  sha256: 'ab'.repeat(32),
  size_bytes: 1200,
  files: [{ path: 'model.onnx', size_bytes: 1200, sha256: 'cd'.repeat(32) }],
  signature: {
    inputs: [
      { name: 'X', datatype: 'FP64', shape: [-1, 2], onnx_name: 'X', columns: ['age', CANARY], choices: [] }
    ],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1], onnx_name: 'label', columns: [], choices: [] }
    ],
    task: 'classification',
    labels: ['stays', CANARY],
    routed_by: []
  },
  parity: PARITY,
  operators: [],
  sample: { inputs: [{ name: 'X', shape: [1, 2], datatype: 'FP64', data: [41, 1200] }] },
  etag: 1,
  stage: 'None',
  approval: { status: 'Pending', user: '', at: null, reason: '' },
  archived_at: null,
  formats: [{ path: 'model.onnx', format: 'onnx', executes: false, note: '' }],
  profile: null,
  threshold: null
};

async function show(version: ModelVersion): Promise<unknown[]> {
  const calls: unknown[] = [];
  const log = ({ query }: Question): unknown => {
    const text = query.get('offset') === '-1' ? 'comparing 200 rows\n' : '';
    return { text, offset: 0, next_offset: 19, size: 19, live: true };
  };
  const studio = new TestServer({
    'GET models/churn/versions/2': () => version,
    'GET models/churn/versions/2/users': () => [],
    'GET models/churn/versions/2/lineage': () => ({
      run: null,
      convert_run: null,
      data: [],
      entry: null,
      users: []
    }),
    'GET models/churn/versions/2/journal': () => ({ events: [], whole: true }),
    'GET runs/c1/logs': log
  }).studio();
  const execute = (command: string, args?: unknown): Promise<unknown> => {
    calls.push([command, args]);
    return Promise.resolve();
  };
  render(<VersionView studio={studio} name="churn" version={2} execute={execute} />);
  await screen.findByText('Version 2');
  return calls;
}

function button(name: string): HTMLButtonElement {
  return screen.getByRole('button', { name });
}

describe('a version', () => {
  it('that is ready shows the proof and can be deployed', async () => {
    const calls = await show(VERSION);
    for (const text of [
      'the same labels',
      'float64 throughout',
      '[any, 2]',
      'champion',
      'abababababab',
      '41'
    ]) {
      expect(document.body.textContent).toContain(text);
    }
    fireEvent.click(button('Deploy'));
    await waitFor(() => expect(calls).toContainEqual([CommandIDs.deploy, { model: 'churn', version: 2 }]));
    expect(document.querySelector('img')).toBeNull();
  });

  it('with a model for each store says which there are, and offers no change of a graph', async () => {
    const store = { name: 'store', datatype: 'BYTES', shape: [-1, 1], onnx_name: '', columns: [] };
    const signature = {
      ...VERSION.signature!,
      inputs: [{ ...store, choices: ['north', CANARY] }],
      routed_by: ['store']
    };
    await show({ ...VERSION, signature, files: [{ path: 'models.zip', size_bytes: 1200, sha256: '' }] });
    expect(screen.getByText(/A model for each/).textContent).toContain('2 values');
    expect(screen.getByText('north')).toBeTruthy();
    expect(screen.queryByRole('heading', { name: 'Graph' })).toBeNull();
    expect((screen.getByRole('button', { name: 'Package …' }) as HTMLButtonElement).disabled).toBe(false);
    expect((screen.getByRole('button', { name: 'Deploy' }) as HTMLButtonElement).disabled).toBe(false);
  });

  it('that was refused says why, with the numbers, and cannot be deployed', async () => {
    const parity = { ...PARITY, label_flips: 12, max_abs_difference: 0.96 };
    await show({ ...VERSION, status: 'Refused', reason: 'it answers differently', parity });
    const state = screen.getByTestId('version-state').textContent;
    expect(state).toContain('cannot be deployed');
    expect(state).toContain('it answers differently');
    expect(state).toContain('another label on 12 of 200 rows');
    expect(button('Deploy').disabled).toBe(true);
  });

  it('that is being converted shows the log of the conversion and leads to its run', async () => {
    const version = {
      ...VERSION,
      status: 'Converting',
      convert_run_id: 'c1',
      parity: null,
      signature: null
    } as const;
    const calls = await show(version);
    await screen.findByText('comparing 200 rows');
    expect(button('Deploy').disabled).toBe(true);
    fireEvent.click(button('Log of the conversion'));
    expect(calls).toContainEqual([CommandIDs.openRun, { id: 'c1', tab: 'logs' }]);
  });

  it('that is not there says so, with a way to try again', async () => {
    render(
      <VersionView
        studio={new TestServer().studio()}
        name="churn"
        version={7}
        execute={() => Promise.resolve()}
      />
    );
    expect((await screen.findByRole('alert')).textContent).toContain('Version 7 cannot be shown');
    expect(button('Retry')).toBeTruthy();
  });
});

describe('the form that registers', () => {
  const entry = { size_bytes: 1, modified_at: AT };
  const file = (path: string): object => ({ path, name: path.split('/').pop(), kind: 'file', ...entry });
  const list = (...entries: object[]): object => ({
    path: '',
    entries,
    total: entries.length,
    next_page_token: null
  });

  function open(entries: object, tags: Record<string, string> = {}): (NewVersion | null)[] {
    const values: (NewVersion | null)[] = [];
    const studio = new TestServer({
      'GET runs/r1': () => ({ id: 'r1', name: 'forest-3', experiment: 'churn', tags }),
      'GET runs/r1/artifacts': () => entries,
      'GET models': () => [{ name: 'churn', versions: [2, 1], aliases: { champion: 2 } }]
    }).studio();
    render(
      <RegisterForm studio={studio} initial={{ run_id: 'r1' }} onChange={value => values.push(value)} />
    );
    return values;
  }

  it('begins with the name of the experiment and says which version it becomes', async () => {
    const values = open(list(file('mlstudio.json')));
    expect((await screen.findByLabelText<HTMLInputElement>('Name')).value).toBe('churn');
    await screen.findByText('Becomes version 3 of this model.');
    await waitFor(() => expect(values.at(-1)).toEqual({ name: 'churn', run_id: 'r1', path: '' }));
  });

  it('begins with the threshold that the run keeps, and the class that it is about', async () => {
    const tags = { 'mlstudio.threshold': '0.3', 'mlstudio.positive_label': 'leaves' };
    const values = open(list(file('mlstudio.json')), tags);
    expect((await screen.findByLabelText<HTMLInputElement>('Decision threshold')).value).toBe('0.3');
    await waitFor(() => expect(values.at(-1)).toMatchObject({ threshold: 0.3, positive_label: 'leaves' }));
    fireEvent.change(screen.getByLabelText('Decision threshold'), { target: { value: '' } });
    expect(screen.queryByLabelText('Class of the threshold')).toBeNull();
    expect(values.at(-1)).toEqual({ name: 'churn', run_id: 'r1', path: '' });
  });

  it('says that an alias moves, and refuses one that stands for a version', async () => {
    const values = open(list(file('mlstudio.json')));
    const alias = await screen.findByLabelText('Alias (optional)');
    fireEvent.change(alias, { target: { value: 'champion' } });
    await screen.findByText('Moves from version 2 to this one.');
    expect(values.at(-1)).toMatchObject({ alias: 'champion' });
    fireEvent.change(alias, { target: { value: '12' } });
    expect(values.at(-1)).toBeNull();
  });

  it('says what to do when the run logged no model', async () => {
    const values = open(list(file('notes.txt')));
    await screen.findByText(/This run logged no model/);
    expect(values.at(-1)).toBeNull();
  });
});
