import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { type Mock, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Change, NewSweep, Run, Sweep, Trial } from '../../api/types';
import type { IPlotly } from '../../charts/plotly';
import { PlotlyLoader } from '../../charts/plotlybox';
import type { StudioModel } from '../../models/studio';
import { someRun } from '../../testing/run';
import { TestServer, refused } from '../../testing/server';
import { someSweep, someTrial } from '../../testing/sweep';
import { CommandIDs, type Execute } from '../../tokens';
import { RunView } from '../run';
import { LimitsForm, PointForm, type Point, type Steering } from './forms';
import { SweepForm, type SweepDraft } from './new';

const NEVER = new Promise<IPlotly>(() => {});
const TRIALS = [
  someTrial(0),
  someTrial(1, { values: [0.95] }),
  someTrial(2, {
    state: 'FAIL',
    values: [null],
    reason: 'the objective val_auc is not a finite number: nan'
  }),
  someTrial(3, { state: 'RUNNING', values: [null], ended_at: null })
];
const COUNTS = { COMPLETE: 2, FAIL: 1, RUNNING: 1 };

const settle = (): Promise<void> => act(async () => void (await Promise.resolve()));

async function click(element: HTMLElement): Promise<void> {
  fireEvent.click(element);
  await settle();
}

describe('the view of a sweep', () => {
  let server: TestServer;
  let studio: StudioModel;
  let execute: Mock<Execute>;
  let sweep: Sweep;
  let run: Run;
  let pages: Trial[][];

  beforeEach(() => {
    execute = vi.fn<Execute>(() => Promise.resolve(undefined));
    sweep = someSweep({ counts: COUNTS, best: TRIALS[1]! });
    run = someRun({ kind: 'sweep', status: 'Running', ended_at: null });
    pages = [TRIALS];
    server = new TestServer({
      'GET runs/r1': () => run,
      'GET sweeps/r1': () => sweep,
      'GET sweeps/r1/trials': ({ query }) => {
        const page = pages[Number(query.get('after'))] ?? [];
        return { trials: page, cursor: Number(query.get('after')) + (page.length > 0 ? 1 : 0), total: 4 };
      }
    });
    studio = server.studio();
  });

  async function show(tab?: string): Promise<void> {
    render(
      <PlotlyLoader.Provider value={() => NEVER}>
        <RunView studio={studio} id="r1" execute={execute} tab={tab} />
      </PlotlyLoader.Provider>
    );
    await screen.findByRole('tablist', { name: 'Parts of the sweep' }, { timeout: 10_000 });
  }

  const tab = (name: RegExp): Promise<void> => click(screen.getByRole('tab', { name }));

  it('says how far it is and what is best, and offers the next steps', async () => {
    await show();
    expect(screen.getByText('3 of 10 trials')).toBeTruthy();
    expect(screen.getByText('1 running · 1 failed')).toBeTruthy();
    const best = screen.getByRole('group', { name: 'Best trial' });
    expect(best.textContent).toContain('0.95');
    await click(within(best).getByText('trial 1'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.openRun, { id: 't1' });
    await click(within(best).getByText('Register best'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.registerModel, { runId: 't1' });
    await click(within(best).getByText('Open as notebook'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.sweepNotebook, { id: 'r1' });
  });

  it('is steered while it goes on', async () => {
    await show();
    for (const [word, command] of [
      ['Pause', CommandIDs.pauseSweep],
      ['Try this …', CommandIDs.tryPoint],
      ['Limits …', CommandIDs.changeSweep],
      ['Stop', CommandIDs.stopSweep]
    ] as const) {
      await click(screen.getByRole('button', { name: word }));
      expect(execute).toHaveBeenCalledWith(command, { id: 'r1' });
    }
    act(() =>
      studio.sweep('r1').accept({ ...sweep, phase: 'Paused', control: { ...sweep.control, paused: true } })
    );
    expect(screen.getByText('paused')).toBeTruthy();
    await click(screen.getByRole('button', { name: 'Resume' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.resumeSweep, { id: 'r1' });
  });

  it('says once why no trial was completed, and asks how many more there are to be', async () => {
    const reason = 'no trial was completed; the first, trial 0: ValueError: no data';
    run = { ...run, status: 'Failed', reason, ended_at: run.started_at };
    const counts = { FAIL: 10 };
    sweep = { ...sweep, status: 'Failed', phase: 'Ended', counts, best: null };
    const failed = { state: 'FAIL', values: [null], reason: 'ValueError: no data' } as const;
    pages = [Array.from({ length: 10 }, (_, number) => someTrial(number, { ...failed, values: [null] }))];
    await show();
    expect(screen.getAllByText(reason)).toHaveLength(1);
    expect(screen.getByRole('button', { name: 'More trials …' })).toBeTruthy();
    await tab(/^Plots/);
    expect(screen.getByText(/No trial is complete/)).toBeTruthy();
    await tab(/^Trials/);
    expect(screen.getAllByText('ValueError: no data')).toHaveLength(10);
  });

  it('says of a trial that somebody has stopped that it was stopped, and shortens long names', async () => {
    const name = `regularisation ${'of the layer '.repeat(20)}`;
    pages = [
      [
        someTrial(0, { params: { [name]: 'x'.repeat(500) } }),
        someTrial(1, { state: 'FAIL', reason: 'stopped' })
      ]
    ];
    await show();
    const best = screen.getByRole('table', { name: 'Best trials' });
    expect(
      Math.max(
        ...within(best)
          .getAllByRole('cell')
          .map(cell => cell.textContent!.length)
      )
    ).toBeLessThan(40);
    expect(within(best).getByTitle(name.trim())).toBeTruthy();
    expect(screen.getByText('1 running · 1 stopped')).toBeTruthy();
    await tab(/^Trials/);
    const table = (): HTMLElement => screen.getByRole('table', { name: 'Trials' });
    expect(within(table()).getAllByText('stopped').length).toBeGreaterThan(0);
    expect(within(table()).queryByText('failed')).toBeNull();
    const choose = async (state: string): Promise<void> => {
      await act(async () => {
        fireEvent.change(screen.getByRole('combobox', { name: 'State' }), { target: { value: state } });
      });
    };
    await choose('failed');
    expect(screen.getByText('0 trials of 2')).toBeTruthy();
    await choose('stopped');
    expect(screen.getByText('1 trial of 2')).toBeTruthy();
    expect(within(table()).getAllByText('stopped').length).toBeGreaterThan(0);
  });

  it('goes on when it is over, and says what it may not conclude', async () => {
    run = { ...run, status: 'Canceled', ended_at: run.started_at };
    sweep = { ...sweep, phase: 'Ended', lead: { ...sweep.lead, note: 'The lead is within the noise.' } };
    await show();
    expect(screen.getByText('The lead is within the noise.')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Pause' })).toBeNull();
    await click(screen.getByRole('button', { name: 'Go on' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.continueSweep, { id: 'r1' });
  });

  it('lists the trials, sorts them, filters them, and stops one', async () => {
    await show('trials');
    const table = await screen.findByRole('table', { name: 'Trials' });
    const numbers = (): (string | undefined)[] =>
      within(table)
        .getAllByRole('row')
        .slice(1)
        .map(row => row.dataset['trial']);
    expect(numbers()).toEqual(['3', '2', '1', '0']);
    await click(within(table).getByRole('button', { name: 'val_auc' }));
    expect(numbers()).toEqual(['1', '0', '2', '3']);
    expect(table.textContent).toContain('not a finite number: nan');
    await click(within(table).getByTitle('Stop trial 3; the sweep goes on'));
    expect(execute).toHaveBeenCalledWith(CommandIDs.stopTrial, { id: 'r1', number: 3 });
    await click(within(table).getByRole('button', { name: '2' }));
    expect(execute).toHaveBeenCalledWith(CommandIDs.openRun, { id: 't2' });
    fireEvent.change(screen.getByLabelText('State'), { target: { value: 'failed' } });
    expect(numbers()).toEqual(['2']);
    expect(screen.getByText('1 trial of 4')).toBeTruthy();
  });

  it('reads on where it was when trials changed', async () => {
    await show('trials');
    pages.push([someTrial(3, { values: [0.99] }), someTrial(4)]);
    const changes: Change[] = [{ seq: 2, kind: 'sweep', id: 'r1', deleted: false }];
    act(() => {
      (studio.feed.changed as unknown as { emit: (value: Change[]) => void }).emit(changes);
    });
    await waitFor(() => expect(studio.trials('r1').value?.trials).toHaveLength(5));
    expect(
      server.asked.filter(one => one.path.endsWith('/trials')).map(one => one.query.get('after'))
    ).toEqual(['0', '1']);
    expect(studio.trials('r1').value?.trials[3]?.values).toEqual([0.99]);
  });

  it('says when there is nothing to draw yet, and what cannot be read', async () => {
    pages = [[]];
    sweep = someSweep();
    await show();
    expect(screen.getByText('The curve begins with the first complete trial.')).toBeTruthy();
    await tab(/^Plots/);
    expect(screen.getByText('The plots begin with the first complete trial.')).toBeTruthy();
    await tab(/^Trials/);
    expect(screen.getByText(/listed here as soon as/)).toBeTruthy();
  });

  it('offers to read again what could not be read', async () => {
    server.set('GET sweeps/r1', () => refused(500, 'internal', 'The disk is gone.'));
    render(<RunView studio={studio} id="r1" execute={execute} />);
    expect((await screen.findByRole('alert')).textContent).toContain('The disk is gone.');
  });
});

describe('the forms of a sweep', () => {
  const studioOf = (answers: Record<string, () => unknown> = {}): StudioModel =>
    new TestServer(answers).studio();

  it('takes a point with what is left empty left out', () => {
    const onChange = vi.fn<(value: Point | null) => void>();
    const sweep = someSweep();
    render(<PointForm studio={studioOf()} initial={{ sweep, params: { lr: 0.01 } }} onChange={onChange} />);
    fireEvent.change(screen.getByLabelText('act'), { target: { value: 'tanh' } });
    expect(onChange.mock.lastCall?.[0]?.params).toEqual({ lr: 0.01, act: 'tanh' });
    fireEvent.change(screen.getByLabelText('act'), { target: { value: '' } });
    fireEvent.change(screen.getByLabelText('lr'), { target: { value: '' } });
    expect(onChange.mock.lastCall?.[0]).toBeNull();
  });

  it('changes only the limits and bounds that differ', () => {
    const onChange = vi.fn<(value: Steering | null) => void>();
    render(<LimitsForm studio={studioOf()} initial={{ sweep: someSweep() }} onChange={onChange} />);
    expect(onChange.mock.lastCall?.[0]?.change).toEqual({ limits: {}, space: {} });
    fireEvent.change(screen.getByLabelText('Trials'), { target: { value: '40' } });
    fireEvent.change(screen.getByLabelText('Sweep, time limit in minutes'), { target: { value: '2' } });
    fireEvent.change(screen.getByLabelText('depth'), { target: { value: 'int(2,20)' } });
    expect(onChange.mock.lastCall?.[0]?.change).toEqual({
      limits: { max_total_trials: 40, timeout_s: 120 },
      space: { depth: { type: 'int', low: 2, high: 20 } }
    });
    fireEvent.change(screen.getByLabelText('depth'), { target: { value: 'int(20,2)' } });
    expect(onChange.mock.lastCall?.[0]).toBeNull();
    expect(screen.getByText(/above the upper bound/)).toBeTruthy();
  });

  it('makes a sweep of a run, varying its numbers around their values', async () => {
    const onChange = vi.fn<(value: SweepDraft | null) => void>();
    const run = someRun({ metrics: { val_loss: 0.3, 'system/cpu_percent': 5 } });
    run.spec.params = { lr: 0.01, depth: 8, act: 'relu' };
    const studio = studioOf({ 'GET runs/r1': () => run, 'GET experiments': () => [] });
    render(<SweepForm studio={studio} initial={{ runId: 'r1' }} onChange={onChange} />);
    fireEvent.change(await screen.findByLabelText('How lr is varied'), {
      target: { value: 'loguniform(-6,-1)' }
    });
    const request = (): NewSweep | undefined => onChange.mock.lastCall?.[0]?.request;
    expect(request()).toMatchObject({
      name: 'forest-sweep',
      experiment: 'churn',
      work_kind: 'script',
      work: { script: 'train.py', params: { act: 'relu' } },
      sweep: {
        space: {
          lr: { type: 'loguniform', min_value: -6, max_value: -1 },
          depth: { type: 'int', low: 2, high: 32 }
        },
        objectives: [{ primary_metric: 'val_loss', goal: 'minimize' }],
        limits: { max_total_trials: 20, max_concurrent_trials: 2 }
      }
    });
    fireEvent.change(screen.getByLabelText('More parameters'), { target: { value: 'drop = uniform(0' } });
    expect(onChange.mock.lastCall?.[0]).toBeNull();
    expect(screen.getByText(/Line 1/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText('More parameters'), { target: { value: 'drop = uniform(0,1)' } });
    fireEvent.click(screen.getByLabelText('depth'));
    expect(request()?.work.params).toEqual({ act: 'relu', depth: 8 });
    expect(Object.keys(request()?.sweep.space ?? {})).toEqual(['lr', 'drop']);
  });
});
