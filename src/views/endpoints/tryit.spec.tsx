import { fireEvent, render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { StudioError } from '../../api/client';
import type { Endpoint, Signature } from '../../api/types';
import { TestServer } from '../../testing/server';
import { CommandIDs } from '../../tokens';
import { TryIt } from './tryit';
import { rowOf } from './why';

const CANARY = '<img src=x onerror=window.__x=1>';

const SIGNATURE: Signature = {
  inputs: [
    { name: 'age', datatype: 'INT64', shape: [-1, 1], onnx_name: '', columns: [], choices: [] },
    { name: CANARY, datatype: 'BYTES', shape: [-1, 1], onnx_name: '', columns: [], choices: [] }
  ],
  outputs: [
    { name: 'label', datatype: 'BYTES', shape: [-1], onnx_name: '', columns: [], choices: [] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2], onnx_name: '', columns: [], choices: [] }
  ],
  task: 'classification',
  labels: ['stays', 'leaves'],
  routed_by: []
};

const ENDPOINT = {
  name: 'churn',
  state: 'Ready',
  scoring_url: 'http://127.0.0.1:9/v2/models/churn/infer',
  sample: {
    inputs: [
      { name: 'age', shape: [1, 1], datatype: 'INT64', data: [41] },
      { name: CANARY, shape: [1, 1], datatype: 'BYTES', data: ['Ulm'] }
    ]
  }
} as unknown as Endpoint;

const ANSWER = {
  status: 200,
  latency_ms: 3.24,
  response: {
    outputs: [
      { name: 'label', datatype: 'BYTES', shape: [1], data: ['leaves'] },
      { name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: [0.25, 0.75] }
    ]
  }
};

function open(outcome: unknown = { answer: ANSWER }, endpoint = ENDPOINT): [string, unknown][] {
  const calls: [string, unknown][] = [];
  const execute = (command: string, args?: unknown): Promise<unknown> => {
    calls.push([command, args]);
    return Promise.resolve(outcome);
  };
  render(<TryIt endpoint={endpoint} signature={SIGNATURE} execute={execute} />);
  return calls;
}

function field(label: string): HTMLInputElement {
  return screen.getByLabelText(`${label}, row 1`);
}

function button(name: string): HTMLButtonElement {
  return screen.getByRole('button', { name });
}

describe('Try it', () => {
  it('is prefilled with the sample, one field per feature', () => {
    open();
    expect(field('age').value).toBe('41');
    expect(field(CANARY).value).toBe('Ulm');
    expect(document.querySelector('img')).toBeNull();
  });

  it('sends typed values and shows label, probabilities and latency', async () => {
    const calls = open();
    fireEvent.change(field('age'), { target: { value: '29' } });
    fireEvent.click(button('Send'));
    const answer = await screen.findByTestId('answer');
    expect(calls).toEqual([
      [
        CommandIDs.scoreEndpoint,
        {
          name: 'churn',
          request: {
            inputs: [
              { name: 'age', shape: [1, 1], datatype: 'INT64', data: [29] },
              { name: CANARY, shape: [1, 1], datatype: 'BYTES', data: ['Ulm'] }
            ]
          }
        }
      ]
    ]);
    for (const text of ['leaves', '75.0\u00a0%', 'stays', '25.0\u00a0%', '3.2\u00a0ms']) {
      expect(answer.textContent).toContain(text);
    }
  });

  it('asks one deployment where it is told to, and says so in the programs', async () => {
    const deployments = ['blue', 'green'].map((name, at) => ({ name, model: 'churn', version: at + 1 }));
    const calls = open(undefined, { ...ENDPOINT, deployments } as unknown as Endpoint);
    fireEvent.change(screen.getByLabelText('Ask'), { target: { value: 'green' } });
    expect(screen.getByTestId('snippet').textContent).toContain("-H 'azureml-model-deployment: green'");
    fireEvent.click(button('Python'));
    expect(screen.getByTestId('snippet').textContent).toContain('"azureml-model-deployment": "green"');
    fireEvent.click(button('Send'));
    await screen.findByTestId('answer');
    expect(calls[0]?.[1]).toMatchObject({ name: 'churn', deployment: 'green' });
  });

  it('offers the values that there are models for', () => {
    const inputs = SIGNATURE.inputs.map(one =>
      one.name === CANARY ? { ...one, choices: ['Ulm', 'Bonn'] } : one
    );
    render(
      <TryIt
        endpoint={ENDPOINT}
        signature={{ ...SIGNATURE, inputs, routed_by: [CANARY] }}
        execute={() => Promise.resolve()}
      />
    );
    const offered = [...(field(CANARY).list?.options ?? [])].map(one => one.value);
    expect(offered).toEqual(['Ulm', 'Bonn']);
    expect(field('age').list).toBeNull();
  });

  it('refuses to send a value that does not fit its datatype', () => {
    const calls = open();
    fireEvent.change(field('age'), { target: { value: '4.5' } });
    expect(field('age').getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByRole('alert').textContent).toBe('One value does not fit its datatype.');
    expect(button('Send').disabled).toBe(true);
    expect(calls).toEqual([]);
  });

  it('adds and removes rows', () => {
    open();
    fireEvent.click(button('+ row'));
    expect(screen.getByLabelText<HTMLInputElement>('age, row 2').value).toBe('41');
    fireEvent.click(button('Remove row 1'));
    expect(screen.queryByLabelText('age, row 2')).toBeNull();
  });

  it('switches to JSON and back', () => {
    open();
    fireEvent.click(button('Edit as JSON'));
    const text = screen.getByLabelText<HTMLTextAreaElement>('Request as JSON');
    fireEvent.change(text, { target: { value: text.value.replace('41', '29') } });
    fireEvent.click(button('Edit as form'));
    expect(field('age').value).toBe('29');
  });

  it('shows the same request as code that follows what is typed', () => {
    open();
    fireEvent.change(field('age'), { target: { value: '29' } });
    expect(screen.getByTestId('snippet').textContent).toContain('"data":[29]');
    fireEvent.click(button('Python'));
    expect(screen.getByTestId('snippet').textContent).toContain('import urllib.request');
  });

  it('says why there is no answer', async () => {
    open({ error: new StudioError('unavailable', 'The endpoint does not answer.', 503) });
    fireEvent.click(button('Send'));
    expect((await screen.findByRole('alert')).textContent).toContain('The endpoint does not answer.');
  });

  it('shows what the endpoint said against the request', async () => {
    open({ answer: { status: 400, latency_ms: 1, response: { error: 'input age is missing' } } });
    fireEvent.click(button('Send'));
    expect((await screen.findByRole('alert')).textContent).toContain('input age is missing');
  });

  it('does not send to an endpoint that is stopped', () => {
    open(undefined, { ...ENDPOINT, state: 'Stopped', scoring_url: null });
    expect(button('Send').disabled).toBe(true);
    expect(screen.queryByTestId('snippet')).toBeNull();
  });

  it('explains a row where the model is the winner of an AutoML run', async () => {
    const studio = new TestServer({
      'GET models/churn/versions/2': () => ({ model: 'churn', version: 2, run_id: 'r1' }),
      'GET runs/r1': () => ({ id: 'r1', kind: 'automl', params: {} })
    }).studio();
    const told = { prediction: 'leaves', of: 'leaves', base: 0.25, note: '', probabilities: {} };
    const contributions = [{ column: 'age', value: 41, effect: 0.5 }];
    const calls: [string, unknown][] = [];
    const execute = (command: string, args?: unknown): Promise<unknown> => {
      calls.push([command, args]);
      return Promise.resolve({ answer: { ...told, contributions } });
    };
    const served = { name: 'blue', model: 'churn', version: 2, traffic: 100 };
    const endpoint = { ...ENDPOINT, deployments: [served] } as unknown as Endpoint;
    render(<TryIt {...{ endpoint, execute, studio }} signature={SIGNATURE} />);
    fireEvent.click(await screen.findByRole('button', { name: 'Explain this row' }));
    const bars = await screen.findByRole('table', { name: 'How far each value moved the answer' });
    expect(bars.textContent).toContain('age = 41');
    expect(calls).toEqual([[CommandIDs.explainRow, { id: 'r1', row: { age: 41, [CANARY]: 'Ulm' } }]]);
  });

  it('takes a row of a table apart by the names of its columns', () => {
    const table = { ...SIGNATURE, inputs: [{ ...SIGNATURE.inputs[0]!, name: 'X', columns: ['a', 'b'] }] };
    const request = { inputs: [{ name: 'X', shape: [2, 2], data: [1, 2, 3, null] }] };
    expect(rowOf(request, table, 1)).toEqual({ a: 3, b: null });
  });
});
