/** Commands on runs and experiments. */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import { stopIcon } from '@jupyterlab/ui-components';
import { isEnded, isLive, isWaiting } from '../../api/types';
import type { ExperimentChange, NewExperiment, RunStatus } from '../../api/types';
import { CommandIDs } from '../../tokens';
import { plural, shortened, visible } from '../../views/common/format';
import { runIcon } from '../../views/common/icons';
import { type Arguments, type Workbench, add } from './add';
import { confirmed } from './ask';

const RUN = { type: 'string', description: 'Id of the run', required: true, from: 'run' } as const;
const EXPERIMENT = {
  type: 'string',
  description: 'Id of the experiment',
  required: true,
  from: 'experiment'
} as const;

export function addRunCommands({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.stopRun,
    label: 'Stop',
    caption: 'Stop the run and its whole process tree',
    icon: stopIcon,
    args: { id: { ...RUN, required: false }, ids: { type: 'array', description: 'Ids of several runs' } },
    visible: row => isLive(row['status'] as RunStatus) || isWaiting(row['status'] as RunStatus),
    execute: async args => {
      for (const id of args.has('ids') ? args.list('ids') : [args.need('id')]) {
        const run = await studio.client.stopRun(id);
        studio.run(run.id).accept(run);
      }
    }
  });
  add(app, {
    id: CommandIDs.retryRun,
    label: 'Run again',
    caption: 'Submit the same work as a new run, with the parameters that are given changed',
    icon: runIcon,
    args: { id: RUN, params: { type: 'object', description: 'Parameters to change' } },
    visible: row => isEnded(row['status'] as RunStatus),
    execute: async args => {
      const params = (args.get('params') ?? {}) as Record<string, unknown>;
      const run = await studio.client.retryRun(args.need('id'), params);
      submitted(execute, run.id, run.name);
      return run.id;
    }
  });
  add(app, {
    id: CommandIDs.renameRun,
    label: 'Rename …',
    caption: 'Give the run another name',
    args: { id: RUN, name: { type: 'string', description: 'The new name' } },
    execute: async args => {
      const id = args.need('id');
      const now = await studio.client.getRun(id);
      const name = args.text('name') ?? (await askText('Rename run', 'Name', now.name));
      if (name && name !== now.name) {
        studio.run(id).accept(await studio.client.updateRun(id, { name }, now.etag));
      }
    }
  });
  add(app, {
    id: CommandIDs.deleteRun,
    label: 'Delete …',
    caption: 'Delete ended runs and their files',
    args: {
      id: { ...RUN, required: false },
      ids: { type: 'array', description: 'Ids of several runs' }
    },
    visible: row => isEnded(row['status'] as RunStatus),
    execute: args => deleteRuns(args, studio.client)
  });
  add(app, {
    id: CommandIDs.deleteArtifact,
    label: 'Delete …',
    caption: 'Delete a file or folder of an ended run',
    args: { id: RUN, path: { type: 'string', description: 'Path below the artifacts', required: true } },
    execute: async args => {
      const path = args.need('path');
      const name = shortened(visible(path), 120);
      if (
        await confirmed(
          'Delete artifact',
          `Deletes ${name} of this run. A registered model keeps its own copy.`,
          'Delete'
        )
      ) {
        await studio.client.deleteArtifact(args.need('id'), path);
        await studio.artifacts(args.need('id'), path.split('/').slice(0, -1).join('/')).refresh();
      }
    }
  });
}

async function deleteRuns(args: Arguments, client: Workbench['studio']['client']): Promise<void> {
  const single = args.text('id');
  const ids = args.has('ids') ? args.list('ids') : single ? [single] : [];
  const first = ids.length === 1 && ids[0] ? (await client.getRun(ids[0])).name : '';
  const what = first ? `the run ${shortened(visible(first), 80)}` : plural(ids.length, 'run');
  const consequence = `Deletes ${what} with metrics, logs and artifacts. Models registered from ${
    ids.length === 1 ? 'it' : 'them'
  } keep their own copy.`;
  if (
    ids.length === 0 ||
    !(await confirmed(ids.length === 1 ? 'Delete run' : 'Delete runs', consequence, 'Delete'))
  ) {
    return;
  }
  const refused: string[] = [];
  for (const id of ids) {
    await client
      .deleteRun(id)
      .catch((why: unknown) => refused.push(why instanceof Error ? why.message : String(why)));
  }
  if (refused.length > 0) {
    throw new Error(`${plural(refused.length, 'run')} of ${ids.length} not deleted. ${refused[0] ?? ''}`);
  }
}

export function addExperimentCommands({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.newExperiment,
    label: 'New experiment …',
    caption: 'Create a named group of runs',
    args: { name: { type: 'string', description: 'Name of the experiment' } },
    execute: async args => {
      const name = args.text('name') ?? (await askText('New experiment', 'Name', ''));
      if (name) {
        const body: NewExperiment = { name };
        const experiment = await studio.client.createExperiment(body);
        await execute(CommandIDs.openExperiment, { id: experiment.id });
      }
    }
  });
  add(app, {
    id: CommandIDs.editExperiment,
    label: 'Rename …',
    caption: 'Change the name, description, primary metric or goal of an experiment',
    args: {
      id: EXPERIMENT,
      change: { type: 'object', description: 'Fields to change: name, description, primary_metric, goal' }
    },
    execute: async args => {
      const id = args.need('id');
      let change = args.get('change') as ExperimentChange | undefined;
      if (!change) {
        const now = await studio.client.getExperiment(id);
        const name = await askText('Rename experiment', 'Name', now.name);
        change = name && name !== now.name ? { name } : undefined;
      }
      if (change) {
        studio.experiment(id).accept(await studio.client.updateExperiment(id, change));
      }
    }
  });
  add(app, {
    id: CommandIDs.archiveExperiment,
    label: 'Archive',
    caption: 'Take the experiment out of the lists; its runs stay',
    args: { id: EXPERIMENT },
    execute: async args => {
      const id = args.need('id');
      const { name } = await studio.client.updateExperiment(id, { archived: true });
      Notification.info(`Archived ${shortened(visible(name), 80)}. Its runs stay.`, {
        autoClose: 8000,
        actions: [
          {
            label: 'Undo',
            callback: () => void studio.client.updateExperiment(id, { archived: false })
          }
        ]
      });
    }
  });
}

/** Says that a run was submitted, with the way to it. */
export function submitted(execute: Workbench['execute'], id: string, name: string): void {
  Notification.info(`Submitted ${shortened(visible(name), 80)}`, {
    autoClose: 5000,
    actions: [{ label: 'Open', callback: () => void execute(CommandIDs.openRun, { id }) }]
  });
}

export async function askText(title: string, label: string, text: string): Promise<string | undefined> {
  const { button, value } = await InputDialog.getText({ title, label, text, selectionRange: text.length });
  const answer = value?.trim();
  return button.accept && answer ? answer : undefined;
}
