import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { type Mock, beforeEach, describe, expect, it, vi } from 'vitest';

import type { AutoML, AutoMLReport, Run } from '../../api/types';
import type { IPlotly } from '../../charts/plotly';
import { PlotlyLoader } from '../../charts/plotlybox';
import type { StudioModel } from '../../models/studio';
import { someAutoML, someCandidate, someReport } from '../../testing/automl';
import { someRun } from '../../testing/run';
import { TestServer } from '../../testing/server';
import { CommandIDs, type Execute } from '../../tokens';
import { RunView } from '../run';

const NEVER = new Promise<IPlotly>(() => {});
const MINUS = '\u202e';

async function click(element: HTMLElement): Promise<void> {
  fireEvent.click(element);
  await act(async () => void (await Promise.resolve()));
}

describe('the view of an AutoML run', () => {
  let server: TestServer;
  let studio: StudioModel;
  let execute: Mock<Execute>;
  let automl: AutoML;
  let run: Run;

  beforeEach(() => {
    execute = vi.fn<Execute>(() => Promise.resolve(undefined));
    automl = someAutoML();
    run = someRun({ kind: 'automl', status: 'Running', ended_at: null });
    server = new TestServer({ 'GET runs/r1': () => run, 'GET automl/r1': () => automl });
    studio = server.studio();
  });

  const found = (more: Partial<AutoMLReport>): AutoML => someAutoML({ report: someReport(more) });

  function end(status: Run['status'], more: Partial<AutoMLReport>): void {
    run = { ...run, status, ended_at: run.started_at };
    automl = { ...found(more), status };
  }

  async function show(tab?: string): Promise<void> {
    render(
      <PlotlyLoader.Provider value={() => NEVER}>
        <RunView studio={studio} id="r1" execute={execute} tab={tab} />
      </PlotlyLoader.Provider>
    );
    await screen.findByRole('tablist', { name: 'Parts of the AutoML run' }, { timeout: 10_000 });
  }

  const tab = (name: RegExp): Promise<void> => click(screen.getByRole('tab', { name }));

  it('says how far it is and what leads, and is stopped with the best', async () => {
    await show();
    expect(screen.getByText(/^1.min.0\d.s of 5.min.00.s$/)).toBeTruthy();
    expect(screen.getByText('trying models · 2 models')).toBeTruthy();
    const best = screen.getByRole('group', { name: 'Best model so far' });
    expect(best.textContent).toContain('auc_weighted 0.9 0.88 to 0.92');
    expect(within(best).queryByRole('button', { name: 'Register' })).toBeNull();
    await click(screen.getByRole('button', { name: 'Stop and keep the best' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.stopAutoML, { id: 'r1' });
    await click(screen.getByRole('button', { name: 'Pause' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.pauseSweep, { id: 'r1' });
    act(() => studio.automl('r1').accept({ ...automl, phase: 'Paused' }));
    await click(screen.getByRole('button', { name: 'Resume' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.resumeSweep, { id: 'r1' });
  });

  it('offers the next steps with the winner when it has ended', async () => {
    end('Completed', { winner: 1 });
    await show();
    const winner = screen.getByRole('group', { name: 'Winner' });
    expect(winner.textContent).toContain('Linear');
    for (const [word, command, args] of [
      ['Register', CommandIDs.registerModel, { runId: 'r1' }],
      ['Deploy', CommandIDs.deployRun, { runId: 'r1' }],
      ['Open as notebook', CommandIDs.automlNotebook, { id: 'r1' }]
    ] as const) {
      await click(within(winner).getByRole('button', { name: word }));
      expect(execute).toHaveBeenCalledWith(command, args);
    }
    await click(screen.getByRole('button', { name: 'Continue 5 more minutes' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.continueAutoML, { id: 'r1', minutes: 5 });
  });

  it('ranks models, opens their runs, and says why one failed or has no ONNX form', async () => {
    automl = found({
      leaderboard: [
        someCandidate(2, { family: 'VotingEnsemble', stage: 'ensemble', weights: { '0': 0.7, '1': 0.3 } }),
        someCandidate(0),
        someCandidate(1, {
          family: 'SVM',
          onnx: { ...someCandidate(1).onnx!, ready: false, reason: 'a kernel of its own' }
        }),
        someCandidate(3, { family: 'KNN', score: null, low: null, high: null, onnx: null }),
        someCandidate(5, { family: 'Linear', onnx: null }),
        someCandidate(4, {
          family: `MLP${MINUS}x`,
          score: null,
          folds: [],
          failed: 'out of memory',
          run_id: ''
        })
      ]
    });
    await show();
    const table = screen.getByRole('table', { name: 'Leaderboard' });
    const rows = within(table).getAllByRole('row').slice(1);
    expect(rows.map(row => row.firstChild?.textContent)).toEqual(['1', '2', '3', '', '4', '']);
    expect(rows[0]?.textContent).toContain('ONNX the same');
    await click(within(rows[1]!).getByRole('button', { name: 'Open as notebook' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.automlNotebook, { id: 'r1', number: 0 });
    expect(within(rows[3]!).queryByRole('button', { name: 'Open as notebook' })).toBeNull();
    expect(rows[0]?.textContent).toContain('3e-7');
    expect(rows[2]?.textContent).toContain('a kernel of its own');
    expect(rows[3]?.textContent).toContain('running');
    expect(rows[3]?.textContent).not.toContain('not checked');
    expect(rows[4]?.textContent).toContain('not checked');
    expect(rows[5]?.textContent).toContain('MLP[U+202E]x');
    expect(rows[5]?.textContent).toContain('out of memory');
    await click(within(rows[1]!).getByText('RandomForest'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.openRun, { id: 'c0' });
    await click(screen.getByRole('button', { name: '2 members' }));
    const members = screen.getByRole('list', { name: 'Members of VotingEnsemble' });
    expect(within(members).getAllByRole('listitem')[0]?.textContent).toContain('70');
  });

  it('that could not begin shows what is wrong with the table, and what to do', async () => {
    end('Failed', {
      leaderboard: [],
      findings: [
        { code: 'id', severity: 'info', what: 'id is an id', done: 'left out', remedy: '', columns: ['id'] },
        {
          code: 'one_class',
          severity: 'error',
          what: 'churn has one value only: <b>no</b>',
          done: '',
          remedy: 'choose another target',
          columns: ['churn']
        }
      ]
    });
    await show();
    expect(screen.getByText('The table cannot be learnt from as it is.')).toBeTruthy();
    const items = within(screen.getByRole('list', { name: 'Findings' })).getAllByRole('listitem');
    expect(items[0]?.textContent).toContain('churn has one value only: <b>no</b>');
    expect(items[0]?.textContent).toContain('You can: choose another target');
    expect(items[1]?.textContent).toContain('Done: left out');
    expect(screen.getByText('1 error, 1 note')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Continue 5 more minutes' })).toBeNull();
    await click(screen.getByRole('button', { name: 'New AutoML run' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.newAutoML, { data: 'churn.csv' });
  });

  it('shows where the time went and which families were left out', async () => {
    automl = found({ families: [{ name: 'CatBoost', tried: 0, best: null, out: 'it is not installed' }] });
    await show('progress');
    const families = await screen.findByRole('table', { name: 'Families of models' });
    expect(families.textContent).toContain('it is not installed');
    const rows = within(screen.getByRole('table', { name: 'Where the time went' })).getAllByRole('row');
    expect(rows[1]?.textContent).toContain('fitting');
  });

  it('explains the winner, and one row of its own', async () => {
    end('Completed', {
      winner: 0,
      explanation: {
        importances: [
          { column: 'plan', mean: 0.01, std: 0.001 },
          { column: 'tenure', mean: 0.2, std: 0.01 }
        ],
        dependences: [
          {
            column: 'tenure',
            values: [1, 2],
            mean: [
              [0.4, 0.6],
              [0.6, 0.4]
            ],
            rows: [],
            of: 'yes'
          },
          {
            column: 'plan',
            values: ['a', 'b'],
            mean: [
              [0.4, 0.6],
              [0.6, 0.4]
            ],
            rows: [],
            of: 'yes'
          }
        ],
        shap: { tenure: 0.3 },
        note: ''
      }
    });
    await show('explain');
    const bars = await screen.findByRole('table', { name: 'Importance of columns' });
    expect(within(bars).getAllByRole('row')[0]?.textContent).toContain('tenure');
    expect(screen.getByText('Prediction by tenure')).toBeTruthy();
    await click(within(bars).getByRole('button', { name: 'plan' }));
    expect(await screen.findByText('Prediction by plan')).toBeTruthy();
    execute.mockResolvedValueOnce({
      answer: {
        prediction: 'yes',
        probabilities: { no: 0.2, yes: 0.8 },
        of: 'yes',
        base: 0.3,
        contributions: [{ column: 'tenure', value: 1.5, effect: 0.5 }],
        note: ''
      }
    });
    fireEvent.change(screen.getByLabelText('plan'), { target: { value: '' } });
    await click(screen.getByRole('button', { name: 'Ask and explain' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.explainRow, {
      id: 'r1',
      row: { tenure: 1.5, plan: null }
    });
    await waitFor(() => expect(screen.getByText('tenure = 1.5')).toBeTruthy());
  });

  it('draws the winner from data, and HTML only in a frame without scripts', async () => {
    end('Completed', {
      winner: 0,
      diagram: '<script>alert(1)</script><b>Pipeline</b>',
      test: { accuracy: 0.87 }
    });
    await show('model');
    const drawn = await screen.findByRole('group', { name: 'How the winner is made' });
    expect(drawn.textContent).toContain('one-hot');
    expect(screen.getByRole('table', { name: 'Test metrics' }).textContent).toContain('0.87');
    const frame = screen.getByTitle<HTMLIFrameElement>('The model as scikit-learn draws it');
    expect(frame.getAttribute('sandbox')).toBe('');
    expect(frame.getAttribute('srcdoc')).toContain("default-src 'none'");
    expect(document.querySelector('script')).toBeNull();
  });

  it('draws an ensemble with the steps of each of its members', async () => {
    const vote = someCandidate(2, { family: 'VotingEnsemble', params: {}, weights: { '0': 0.7, '1': 0.3 } });
    end('Completed', {
      winner: 2,
      leaderboard: [vote, someCandidate(0), someCandidate(1, { family: 'Linear' })],
      ways: [
        { members: [0], steps: { tenure: ['Imputer'] } },
        { members: [1], steps: { tenure: ['Imputer', 'Scaler'] } }
      ]
    });
    await show('model');
    const drawn = await screen.findByRole('group', { name: 'How the winner is made' });
    expect(drawn.textContent).toMatch(
      /Imputer.*70.%.RandomForest.*Imputer→Scaler.*30.%.Linear.*VotingEnsemble/
    );
  });

  it('says when the lead over the next model is no more than chance', async () => {
    const margin = { number: 1, family: 'Linear', lead: 0.01, low: -0.02, high: 0.04, within_noise: true };
    end('Completed', { winner: 0, margin });
    await show();
    const said = screen.getByText('lead within the noise');
    expect(said.title).toContain(
      '0.01, with 95 % confidence -0.02 to 0.04. Other rows could turn the two round.'
    );
  });

  it('of many models begins with a map of them', async () => {
    const key = (store: string, week: number): Record<string, unknown> => ({ store, week });
    end('Completed', {
      leaderboard: [],
      partitions: [
        { key: key('A', 1), run_id: 'p1', rows: 40, fingerprint: '', score: 0.8, reused: true, failed: '' },
        {
          key: key('B', 2),
          run_id: 'p2',
          rows: 40,
          fingerprint: '',
          score: null,
          reused: false,
          failed: 'one class'
        }
      ]
    });
    await show();
    const map = screen.getByRole('table', { name: 'auc_weighted of each part' });
    await click(within(map).getByRole('button', { name: '0.8' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.openRun, { id: 'p1' });
    const models = within(screen.getByRole('group', { name: 'Models of parts' }));
    await click(models.getByRole('button', { name: 'Register' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.registerModel, { runId: 'r1' });
    const list = screen.getByRole('table', { name: 'Parts' });
    expect(list.textContent).toContain('kept, nothing changed');
    expect(list.textContent).toContain('one class');
    expect(screen.queryByRole('tab', { name: /^Explain/ })).toBeNull();
    await tab(/^Data/);
    expect(screen.getByText('Nothing stood out.')).toBeTruthy();
  });
});
