import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { Chart, Run } from '../../api/types';
import type { IPlotly } from '../../charts/plotly';
import { PlotlyLoader } from '../../charts/plotlybox';
import { CommandIDs } from '../../tokens';
import { CompareView } from '../compare';
import { asCurl, asPython, asYaml } from './copies';
import { RunView } from './index';
import { someRun } from '../../testing/run';
import { type Answers, type Question, TestServer } from '../../testing/server';

const CANARY = '<img src=x onerror=window.__x=1>';
const NEVER = new Promise<IPlotly>(() => {});

function chart(name: string, schema_type: string, data: Chart['data']): Chart {
  return { name, schema_type, schema_version: '1.0.0', data, at: '2026-11-21T02:00:00Z' };
}

const CHARTS: Chart[] = [
  chart('accuracy_table', 'accuracy_table', {
    class_labels: ['well', 'ill'],
    probability_thresholds: [0, 0.5, 1],
    probability_tables: [
      [
        [6, 4, 0, 0],
        [5, 1, 3, 1],
        [0, 0, 4, 6]
      ],
      [
        [4, 6, 0, 0],
        [3, 1, 5, 1],
        [0, 0, 6, 4]
      ]
    ]
  }),
  chart('roc_curve', 'roc_curve', {
    positive_label: 'ill',
    thinned: false,
    curves: [
      { label: 'ill', kind: 'class', fpr: [0, 1], tpr: [0, 1], thresholds: ['Infinity', 0], auc: 0.875 }
    ]
  }),
  chart('weights', 'table', {
    columns: ['feature', 'weight'],
    rows: [
      [CANARY, 2],
      ['age', 10]
    ]
  }),
  chart('odd', 'confusion_matrix', { class_labels: ['a', 'b'], matrix: [[1]] })
];

function open(
  run: Run,
  answers: Answers = {},
  tab = 'overview'
): { asked: Question[]; calls: [string, unknown][] } {
  const server = new TestServer({
    [`GET runs/${run.id}`]: () => run,
    [`PATCH runs/${run.id}`]: ({ body }) => ({ ...run, ...(body as object), etag: 2 }),
    'GET runs': () => ({ items: [], total: 0, next_page_token: null }),
    ...answers
  });
  const calls: [string, unknown][] = [];
  const execute = (command: string, args?: unknown): Promise<unknown> => {
    calls.push([command, args]);
    return Promise.resolve();
  };
  render(
    <PlotlyLoader.Provider value={() => NEVER}>
      <RunView studio={server.studio()} id={run.id} tab={tab} execute={execute} />
    </PlotlyLoader.Provider>
  );
  return { asked: server.asked, calls };
}

describe('the head of a run', () => {
  it('offers to register a finished run and to stop a live one', async () => {
    const { calls } = open(someRun());
    fireEvent.click(await screen.findByRole('button', { name: 'Register' }));
    await waitFor(() => expect(calls).toContainEqual([CommandIDs.registerModel, { runId: 'r1' }]));
    expect(screen.queryByRole('button', { name: 'Stop' })).toBeNull();
  });

  it('stops a live run', async () => {
    const { calls } = open(someRun({ status: 'Running', ended_at: null }));
    fireEvent.click(await screen.findByRole('button', { name: 'Stop' }));
    await waitFor(() => expect(calls).toContainEqual([CommandIDs.stopRun, { id: 'r1' }]));
  });

  it('renames in place', async () => {
    const { asked } = open(someRun());
    fireEvent.click(await screen.findByRole('button', { name: 'Edit name' }));
    fireEvent.change(screen.getByLabelText('name'), { target: { value: CANARY } });
    fireEvent.keyDown(screen.getByLabelText('name'), { key: 'Enter' });
    expect(await screen.findByText(CANARY)).toBeTruthy();
    expect(asked).toContainEqual(expect.objectContaining({ what: 'PATCH runs/r1', body: { name: CANARY } }));
  });

  it('has a menu that the keyboard opens, walks and closes', async () => {
    const { calls } = open(someRun());
    fireEvent.click(await screen.findByRole('button', { name: 'More' }));
    const items = screen.getAllByRole('menuitem');
    expect(document.activeElement).toBe(items[0]);
    fireEvent.keyDown(items[0]!, { key: 'ArrowDown' });
    expect(document.activeElement).toBe(items[1]);
    fireEvent.keyDown(items[1]!, { key: 'Escape' });
    expect(screen.queryByRole('menu')).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'More' }));
    fireEvent.click(screen.getByRole('menuitem', { name: 'Copy id' }));
    expect(calls).toContainEqual([CommandIDs.copyText, { text: 'r1' }]);
  });
});

describe('the overview', () => {
  it('says why a run failed, with the end of its output', async () => {
    const run = someRun({ status: 'Failed', reason: 'MemoryError: 12 GiB', exit_code: 1 });
    const text = '\u001b[31mBoom\u001b[0m at line 3\n';
    const logs = ({ query }: Question): unknown => {
      const offset = Math.max(0, Number(query.get('offset')));
      return { text: text.slice(offset), offset, next_offset: text.length, size: text.length, live: false };
    };
    open(run, { 'GET runs/r1/logs': logs });
    expect((await screen.findByRole('alert')).textContent).toContain('MemoryError: 12 GiB');
    expect(await screen.findByText('Boom')).toHaveProperty('className', 'jp-mls-ansi-red');
  });

  it('shows what users typed as text', async () => {
    open(
      someRun({ params: { [CANARY]: CANARY }, tags: { [CANARY]: 'x' }, description: CANARY, user: CANARY })
    );
    expect((await screen.findAllByText(CANARY)).length).toBeGreaterThan(3);
    expect(document.querySelector('img')).toBeNull();
  });

  it('adds and removes tags', async () => {
    const { asked } = open(someRun({ tags: { team: 'risk' } }));
    fireEvent.change(await screen.findByLabelText('New tag, name=value'), {
      target: { value: 'stage = test' }
    });
    fireEvent.click(screen.getByRole('button', { name: 'Add' }));
    await waitFor(() =>
      expect(asked).toContainEqual(
        expect.objectContaining({ what: 'PATCH runs/r1', body: { tags: { stage: 'test' } } })
      )
    );
  });
});

/** The number that stands under a name. */
function number(name: string): string | null | undefined {
  return screen.getByText(name, { selector: 'dt' }).nextElementSibling?.textContent;
}

describe('the evaluation', () => {
  const answers: Answers = { 'GET runs/r1/charts': () => CHARTS };

  it('moves matrix and numbers with one threshold', async () => {
    open(someRun(), answers, 'evaluation');
    const slider = await screen.findByRole('slider', { name: /Threshold for/ });
    expect(slider).toHaveProperty('value', '1');
    const cells = (): (string | null)[] => screen.getAllByRole('gridcell').map(cell => cell.textContent);
    expect(cells()).toEqual(['5', '1', '1', '3']);
    expect(number('Precision')).toBe('75.00\u00a0%');
    fireEvent.change(slider, { target: { value: '2' } });
    expect(cells()).toEqual(['6', '0', '4', '0']);
    expect(number('Precision')).toBe('-');
  });

  it('keeps the threshold as a tag of the run', async () => {
    const { asked } = open(someRun(), answers, 'evaluation');
    fireEvent.click(await screen.findByRole('button', { name: 'Use this threshold' }));
    await waitFor(() =>
      expect(asked).toContainEqual(
        expect.objectContaining({
          what: 'PATCH runs/r1',
          body: { tags: { 'mlstudio.threshold': '0.5', 'mlstudio.positive_label': 'ill' } }
        })
      )
    );
    expect(await screen.findByRole('button', { name: 'This threshold is used' })).toHaveProperty(
      'disabled',
      true
    );
  });

  it('begins at the threshold that was kept', async () => {
    open(someRun({ tags: { 'mlstudio.threshold': '1' } }), answers, 'evaluation');
    expect(await screen.findByRole('slider', { name: /Threshold for/ })).toHaveProperty('value', '2');
  });

  it('counts the costs that are given', async () => {
    open(someRun(), answers, 'evaluation');
    fireEvent.change(await screen.findByLabelText(/of a false negative/), { target: { value: '10' } });
    expect(number('Cost')).toBe('11');
  });

  it('walks through the matrix with arrow keys and says what a cell means', async () => {
    open(someRun(), answers, 'evaluation');
    const cells = await screen.findAllByRole('gridcell');
    fireEvent.focus(cells[0]!);
    fireEvent.keyDown(cells[0]!, { key: 'ArrowRight' });
    expect(document.activeElement).toBe(cells[1]);
    expect(screen.getByText(/True well, predicted ill: 1 row;/)).toBeTruthy();
  });

  it('draws what it can when one chart is broken, and says what is wrong with it', async () => {
    open(someRun(), answers, 'evaluation');
    expect(await screen.findByText(/the matrix is not 2 by 2/)).toBeTruthy();
    expect(screen.getByText(CANARY)).toBeTruthy();
  });

  it('sorts a table by its columns', async () => {
    open(someRun(), answers, 'evaluation');
    const region = await screen.findByRole('region', { name: 'weights' });
    fireEvent.click(within(region).getByRole('button', { name: /weight/ }));
    fireEvent.click(within(region).getByRole('button', { name: /weight/ }));
    expect(within(region).getAllByRole('row')[1]!.textContent).toContain('age');
  });

  it('says which line fills it when it is empty', async () => {
    open(someRun(), { 'GET runs/r1/charts': () => [] }, 'evaluation');
    expect(await screen.findByText('studio.evaluate(model, X_test, y_test)')).toBeTruthy();
  });
});

describe('the log', () => {
  const text = Array.from({ length: 300 }, (_, i) => `line ${i}\n`).join('');
  const slice = ({ query }: Question): unknown => {
    const asked = Number(query.get('offset'));
    const start = asked < 0 ? text.length - 100 : asked;
    const part = text.slice(start, start + Number(query.get('limit')));
    return { text: part, offset: start, next_offset: start + part.length, size: text.length, live: false };
  };

  it('begins at the end and reads older parts on request', async () => {
    open(someRun(), { 'GET runs/r1/logs': slice }, 'logs');
    expect(await screen.findByText('line 299')).toBeTruthy();
    expect(screen.queryByText('line 0')).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: /load older/ }));
    expect(await screen.findByText('line 0')).toBeTruthy();
  });

  it('is searched', async () => {
    open(someRun(), { 'GET runs/r1/logs': slice }, 'logs');
    await screen.findByText('line 299');
    Element.prototype.scrollIntoView = () => {};
    fireEvent.change(screen.getByLabelText('Find in the log'), { target: { value: 'LINE 29' } });
    expect(screen.getByText(/^1 of \d+ lines in the loaded part$/)).toBeTruthy();
    expect(document.querySelectorAll('.jp-mls-mod-current')).toHaveLength(1);
  });
});

describe('artifacts', () => {
  const entry = (path: string, kind: string): unknown => ({
    path,
    name: path,
    kind,
    size_bytes: 5,
    modified_at: null
  });
  const answers: Answers = {
    'GET runs/r1/artifacts': ({ query }) =>
      query.get('path')
        ? { path: 'model', entries: [entry('model/inner.txt', 'file')], total: 1, next_page_token: null }
        : {
            path: '',
            entries: [entry('model', 'folder'), entry(CANARY, 'file'), entry('pipe', 'special')],
            total: 3,
            next_page_token: null
          },
    'GET runs/r1/preview': ({ query }) => ({
      path: query.get('path'),
      kind: 'text',
      size_bytes: 5,
      text: '<script>1</script>',
      rows: [],
      data_url: '',
      truncated: false,
      reason: ''
    })
  };

  it('reads a folder when it is opened', async () => {
    const { asked } = open(someRun(), answers, 'artifacts');
    fireEvent.click(await screen.findByText('model'));
    expect(await screen.findByText('model/inner.txt')).toBeTruthy();
    expect(asked.filter(one => one.what === 'GET runs/r1/artifacts').length).toBe(2);
  });

  it('previews a file as text and hands it to the download command', async () => {
    const { calls } = open(someRun(), answers, 'artifacts');
    fireEvent.click(await screen.findByText(CANARY));
    expect(await screen.findByText('<script>1</script>')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Download' }));
    await waitFor(() => expect(calls).toContainEqual([CommandIDs.download, { runId: 'r1', path: CANARY }]));
  });

  it('neither reads nor shows special files', async () => {
    const { asked } = open(someRun(), answers, 'artifacts');
    fireEvent.click(await screen.findByText('pipe'));
    expect(await screen.findByText(/Such files are named here/)).toBeTruthy();
    expect(asked.some(one => one.what === 'GET runs/r1/preview')).toBe(false);
  });
});

describe('a run as text', () => {
  const run = someRun({
    name: "it's",
    spec: { ...someRun().spec, params: { lr: 0.1, fast: true, tags: ['a'] } }
  });

  it('is Python', () => {
    expect(asPython(run)).toBe(
      'import jupyter_mlstudio as studio\n\nrun = studio.submit(\n    "train.py",\n    name="it\'s",\n    experiment="churn",\n' +
        '    params={"lr": 0.1, "fast": True, "tags": ["a"]},\n)\n'
    );
  });

  it('of a session is how a session begins', () => {
    expect(asPython(someRun({ kind: 'interactive' }))).toContain(
      'with studio.start_run(name="forest", experiment="churn") as run:'
    );
  });

  it('is YAML', () => {
    expect(asYaml(run)).toBe(
      'kind: "script"\nname: "it\'s"\nexperiment: "churn"\nspec:\n  script: "train.py"\n  params:\n    lr: 0.1\n    fast: true\n    tags:\n      - "a"\n'
    );
  });

  it('is a request that a shell does not take apart', () => {
    expect(asCurl(run, 'http://h/runs')).toContain(`"name":"it'\\''s"`);
  });
});

describe('comparing runs', () => {
  it('shows the rows that differ', async () => {
    const first = someRun({ params: { lr: '0.1', depth: '3' } });
    const second = someRun({ id: 'r2', name: 'forest-2', params: { lr: '0.2', depth: '3' } });
    const studio = new TestServer({ 'GET runs/r1': () => first, 'GET runs/r2': () => second }).studio();
    render(<CompareView studio={studio} runIds={['r1', 'r2']} execute={() => Promise.resolve()} />);
    fireEvent.click(await screen.findByRole('tab', { name: 'Differences' }));
    const table = within(await screen.findByRole('region', { name: 'Differences' }));
    expect(table.getByText('lr')).toBeTruthy();
    expect(table.queryByText('depth')).toBeNull();
    act(() => screen.getByLabelText('Only rows that differ').click());
    expect(table.getByText('depth')).toBeTruthy();
  });
});
