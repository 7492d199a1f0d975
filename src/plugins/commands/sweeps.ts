/** Commands on sweeps: begin one, steer it, take the best on. */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { NewSweep, Run, RunStatus } from '../../api/types';
import { isEnded } from '../../api/types';
import { StudioError } from '../../api/client';
import { showForm } from '../../panels/dialog';
import { SWEPT_KINDS, doneOf } from '../../models/sweeps';
import { CommandIDs } from '../../tokens';
import { shortened, visible } from '../../views/common/format';
import { runIcon } from '../../views/common/icons';
import { type Workbench, add } from './add';
import { submitted } from './runs';

const SWEEP = { type: 'string', description: 'Id of the sweep', required: true, from: 'run' } as const;

export function addSweepCommands(bench: Workbench): void {
  addStart(bench);
  addSteering(bench);
  addNextSteps(bench);
}

function addStart({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.sweepRun,
    label: 'Sweep this run …',
    caption: 'Try the work of a run with many parameters',
    icon: runIcon,
    args: {
      id: { type: 'string', description: 'Id of the run', required: true, from: 'run' },
      sweep: { type: 'object', description: 'The whole request, instead of asking' }
    },
    visible: row => isEnded(row['status'] as RunStatus) && SWEPT_KINDS.includes(row['kind'] ?? ''),
    execute: async args => {
      const { SweepForm } = await import('../../views/sweeps');
      const runId = args.need('id');
      const started = args.has('sweep')
        ? await studio.client.startSweep(args.get('sweep') as NewSweep)
        : await showForm<{ runId: string; request: NewSweep }, Run>({
            title: 'Sweep this run',
            action: 'Start the sweep',
            studio,
            Form: SweepForm,
            initial: { runId },
            submit: ({ request }) => studio.client.startSweep(request)
          });
      if (started) {
        submitted(execute, started.id, started.name);
        await execute(CommandIDs.openRun, { id: started.id });
      }
      return started?.id;
    }
  });
}

/** Asks how many trials there are to be, more than are done. */
async function askTrials(done: number, asked: number): Promise<number | undefined> {
  const { button, value } = await InputDialog.getNumber({
    title: 'More trials',
    label: `${done} trials are done. How many are there to be in all?`,
    value: done + asked,
    okLabel: 'Go on'
  });
  return button.accept && value !== null && value > done ? Math.round(value) : undefined;
}

function addSteering({ app, studio, execute }: Workbench): void {
  const { client } = studio;
  const steer = (
    id: string,
    label: string,
    caption: string,
    change: { paused?: boolean; stop?: boolean }
  ): void =>
    add(app, {
      id,
      label,
      caption,
      args: { id: SWEEP },
      execute: async args => {
        const sweep = args.need('id');
        studio.sweep(sweep).accept(await client.changeSweep(sweep, change));
      }
    });
  steer(CommandIDs.pauseSweep, 'Pause', 'Start no new trials; those under way go on', { paused: true });
  steer(CommandIDs.resumeSweep, 'Resume', 'Go on with new trials', { paused: false });
  steer(CommandIDs.stopSweep, 'Stop', 'Stop the trials under way and end the sweep', { stop: true });
  add(app, {
    id: CommandIDs.continueSweep,
    label: 'Go on …',
    caption: 'Go on with a sweep that is over, in a new run that knows all of its trials',
    args: { id: SWEEP, trials: { type: 'number', description: 'How many trials there are to be in all' } },
    execute: async args => {
      const id = args.need('id');
      const [{ counts, control }, page] = await Promise.all([
        client.getSweep(id),
        client.listTrials(id, 0, 20_000)
      ]);
      const done = doneOf(counts, page.trials);
      const asked = control.limits.max_total_trials;
      const wanted = args.number('trials') ?? (asked > done ? asked : await askTrials(done, asked));
      if (wanted === undefined) {
        return undefined;
      }
      const run = await client.resumeSweep(id, wanted === asked ? {} : { max_total_trials: wanted });
      submitted(execute, run.id, run.name);
      await execute(CommandIDs.openRun, { id: run.id });
      return run.id;
    }
  });
  add(app, {
    id: CommandIDs.changeSweep,
    label: 'Limits …',
    caption: 'Change trials, parallelism, time limits and bounds of a sweep that goes on',
    args: {
      id: SWEEP,
      limits: { type: 'object', description: 'Limits that are to be different' },
      space: { type: 'object', description: 'Parameters with new bounds' }
    },
    execute: async args => {
      const id = args.need('id');
      const model = studio.sweep(id);
      if (args.has('limits') || args.has('space')) {
        const change = { limits: args.get('limits') ?? {}, space: args.get('space') ?? {} };
        model.accept(await client.changeSweep(id, change as Parameters<typeof client.changeSweep>[1]));
        return;
      }
      const { LimitsForm } = await import('../../views/sweeps');
      const changed = await showForm({
        title: 'Limits of the sweep',
        action: 'Change',
        studio,
        Form: LimitsForm,
        initial: { sweep: await client.getSweep(id) },
        submit: ({ change }) => client.changeSweep(id, change)
      });
      if (changed) {
        model.accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.tryPoint,
    label: 'Try this …',
    caption: 'Choose the parameters of the next trial of a sweep',
    args: { id: SWEEP, params: { type: 'object', description: 'Values of parameters' } },
    execute: async args => {
      const id = args.need('id');
      const model = studio.sweep(id);
      if (args.has('params')) {
        model.accept(await client.enqueuePoint(id, args.get('params') as Record<string, unknown>));
        return;
      }
      const { PointForm } = await import('../../views/sweeps');
      const sweep = await client.getSweep(id);
      const changed = await showForm({
        title: 'Try this',
        action: 'Try',
        studio,
        Form: PointForm,
        initial: { sweep, params: sweep.best?.params ?? {} },
        submit: ({ params }) => client.enqueuePoint(id, params)
      });
      if (changed) {
        model.accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.stopTrial,
    label: 'Stop trial',
    caption: 'Stop one trial; its sweep goes on',
    args: { id: SWEEP, number: { type: 'number', description: 'Number of the trial', required: true } },
    execute: async args => {
      const [id, number] = [args.need('id'), args.number('number')];
      if (number === undefined) {
        throw new StudioError('invalid', 'The command needs the number of a trial.', 400);
      }
      studio.sweep(id).accept(await client.stopTrial(id, number));
    }
  });
}

function addNextSteps({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.copySweep,
    label: 'Copy sweep',
    caption: 'Copy what starts the sweep again, as Python or YAML',
    args: { id: SWEEP, format: { type: 'string', description: 'python or yaml' } },
    execute: async args => {
      const format = args.text('format') === 'yaml' ? 'yaml' : 'python';
      const { text } = await studio.client.getSweepCode(args.need('id'), format);
      await execute(CommandIDs.copyText, { text });
      Notification.info(`Copied the sweep as ${format === 'yaml' ? 'YAML' : 'Python'}`, { autoClose: 3000 });
      return text;
    }
  });
  add(app, {
    id: CommandIDs.sweepNotebook,
    label: 'Open as notebook',
    caption:
      "Write a notebook of the work with a trial's parameters filled in, the best trial's when none is named",
    args: { id: SWEEP, trial: { type: 'number', description: 'Number of the trial' } },
    execute: async args => {
      const { path } = await studio.client.openSweepNotebook(args.need('id'), args.number('trial'));
      Notification.info(`Wrote ${shortened(visible(path), 120)}`, { autoClose: 5000 });
      await execute(CommandIDs.openFile, { path });
      return path;
    }
  });
}
