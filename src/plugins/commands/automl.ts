/** Commands on AutoML: choose a table, begin, steer, take the winner on. */
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { StudioError } from '../../api/client';
import type { NewAutoML } from '../../api/types';
import { type Evaluate, framesOf, writeFrame } from '../../models/frames';
import { currentFolder, inContents } from '../../models/files';
import { CommandIDs } from '../../tokens';
import { shortened, visible } from '../../views/common/format';
import { automlIcon, endpointIcon } from '../../views/common/icons';
import { type Workbench, add } from './add';
import { evaluator } from './kernels';
import { submitted } from './runs';
import { below } from './submit';

const RUN = { type: 'string', description: 'Id of the AutoML run', required: true, from: 'run' } as const;

/** Extensions of tables that AutoML reads. */
export const TABLES = ['.csv', '.tsv', '.parquet', '.jsonl'];

/** Where DataFrames of kernels are written, below the workspace's root. */
const FRAMES_FOLDER = 'automl-data';

/** What the commands need to know of the rest of Lab. */
export interface Around {
  documents: IDocumentManager | null;
  notebooks: INotebookTracker | null;
  /** The file that is selected in the file browser. */
  selectedPath: () => string | undefined;
}

export function addAutoMLCommands(bench: Workbench, around: Around): void {
  addTables(bench, around);
  addFrames(bench, around);
  addStart(bench);
  addSteering(bench);
  addNextSteps(bench);
}

function addTables(bench: Workbench, { documents, selectedPath }: Around): void {
  const { app, studio, execute } = bench;
  add(app, {
    id: CommandIDs.automlFile,
    label: 'New AutoML run …',
    caption: 'Find a model for a table: CSV, TSV, JSON lines or Parquet',
    icon: automlIcon,
    args: {
      path: { type: 'string', description: 'Path of the table, as the file browser names it' },
      selected: { type: 'boolean', description: 'Take the file that is selected in the file browser' }
    },
    execute: async args => {
      const path = args.text('path') ?? (args.get('selected') === true ? selectedPath() : undefined);
      await execute(CommandIDs.newAutoML, path === undefined ? {} : { data: await below(bench, path) });
    }
  });
  add(app, {
    id: CommandIDs.chooseTable,
    label: 'Choose a table …',
    caption: 'Choose a CSV, TSV, JSON lines or Parquet file of the workspace; answers its path',
    execute: async () => {
      if (!documents) {
        throw new StudioError('unavailable', 'JupyterLab has no file browser here.', 0);
      }
      const folder = await currentFolder(studio.client, PageConfig.getOption('serverRoot'));
      const { button, value } = await FileDialog.getOpenFiles({
        manager: documents,
        title: 'Choose a table',
        label: 'CSV, TSV, JSON lines or Parquet.',
        filter: one =>
          one.type === 'directory' || TABLES.includes(PathExt.extname(one.path).toLowerCase()) ? {} : null,
        ...(folder ? { defaultPath: inContents('', folder) } : {})
      });
      const chosen = button.accept ? value?.[0] : undefined;
      return chosen && chosen.type !== 'directory' ? below(bench, chosen.path) : undefined;
    }
  });
}

function kernelOf({ notebooks }: Around): { evaluate: Evaluate; notebook: string } {
  const panel = notebooks?.currentWidget;
  const kernel = panel?.sessionContext.session?.kernel;
  if (!panel || !kernel) {
    throw new StudioError('no_kernel', 'Open a notebook with a running kernel first.', 0);
  }
  if (kernel.status === 'busy') {
    throw new StudioError('busy', `The kernel of ${panel.context.path} is busy.`, 0);
  }
  return { evaluate: evaluator(kernel), notebook: panel.context.path };
}

function addFrames(bench: Workbench, around: Around): void {
  const { app, studio } = bench;
  add(app, {
    id: CommandIDs.listFrames,
    label: 'DataFrames of the notebook',
    caption: 'List the DataFrames in the kernel of the notebook that was in front last',
    execute: async () => {
      try {
        const { evaluate, notebook } = kernelOf(around);
        return { notebook, frames: await framesOf(evaluate) };
      } catch (why) {
        return { error: StudioError.from(why).message };
      }
    }
  });
  add(app, {
    id: CommandIDs.saveFrame,
    label: 'Write a DataFrame',
    caption: "Write a DataFrame of the notebook's kernel as a file of the workspace; answers its path",
    args: { name: { type: 'string', description: 'Name of the variable', required: true } },
    execute: async args => {
      const { evaluate } = kernelOf(around);
      const workspaces = await studio.client.listWorkspaces();
      const root = workspaces.find(one => one.current)?.path;
      if (root === undefined) {
        throw new StudioError('not_found', 'The workspace is not known.', 404);
      }
      // A file that a run has learnt from is never written over.
      const name = args.need('name');
      const at = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
      const file = await writeFrame(evaluate, name, `${root}/${FRAMES_FOLDER}`, `${name}-${at}`);
      return `${FRAMES_FOLDER}/${file}`;
    }
  });
}

function addStart({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.startAutoML,
    label: 'Start AutoML',
    caption: 'Start an AutoML run; answers its id, or what was refused',
    args: { request: { type: 'object', description: 'The whole request', required: true } },
    execute: async args => {
      try {
        const run = await studio.client.automl.start(args.get('request') as NewAutoML);
        submitted(execute, run.id, run.name);
        await execute(CommandIDs.openRun, { id: run.id });
        return { id: run.id };
      } catch (why) {
        const { code, message, status } = StudioError.from(why);
        return { error: { code, message, status } };
      }
    }
  });
}

function addSteering({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.stopAutoML,
    label: 'Stop and keep the best',
    caption: 'Try nothing more: the best model so far becomes the winner',
    args: {
      id: RUN,
      keep: { type: 'boolean', description: 'false ends the run at once, without a winner' }
    },
    execute: async args => {
      const id = args.need('id');
      if (args.get('keep') !== false) {
        studio.sweep(id).accept(await studio.client.changeSweep(id, { stop: true }));
        return;
      }
      const asked = await studio.client.stopRun(id);
      // Asked once, a search that runs ends with what it has; asked again, it ends.
      const run = asked.status === 'Running' ? await studio.client.stopRun(id) : asked;
      studio.run(id).accept(run);
    }
  });
  add(app, {
    id: CommandIDs.continueAutoML,
    label: 'Go on for 5 more minutes',
    caption: 'Go on where an AutoML run ended, in a new run that knows its models',
    args: { id: RUN, minutes: { type: 'number', description: 'How many minutes more; 5 when left out' } },
    execute: async args => {
      const run = await studio.client.automl.resume(args.need('id'), args.number('minutes') ?? 5);
      submitted(execute, run.id, run.name);
      await execute(CommandIDs.openRun, { id: run.id });
      return run.id;
    }
  });
}

function addNextSteps({ app, studio, execute }: Workbench): void {
  add(app, {
    id: CommandIDs.automlNotebook,
    label: 'Open as notebook',
    caption: 'Write a notebook that makes a model, or the winner, from the data, step by step',
    args: {
      id: RUN,
      number: {
        type: 'number',
        description: 'Number of the model on the leaderboard; the winner when left out'
      }
    },
    execute: async args => {
      const { path } = await studio.client.automl.notebook(args.need('id'), args.number('number'));
      Notification.info(`Wrote ${shortened(visible(path), 120)}`, { autoClose: 5000 });
      await execute(CommandIDs.openFile, { path });
      return path;
    }
  });
  add(app, {
    id: CommandIDs.explainRow,
    label: 'Explain a row',
    caption: 'Ask the winner of an AutoML run for one row, and why it answers so',
    args: { id: RUN, row: { type: 'object', description: 'Values by column', required: true } },
    execute: async args => {
      try {
        const row = args.get('row') as Record<string, unknown>;
        return { answer: await studio.client.automl.explain(args.need('id'), row) };
      } catch (why) {
        const { code, message, status } = StudioError.from(why);
        return { error: { code, message, status } };
      }
    }
  });
  add(app, {
    id: CommandIDs.copyAutoML,
    label: 'Copy AutoML run',
    caption: 'Copy what starts the AutoML run again, as Python or YAML',
    args: { id: RUN, format: { type: 'string', description: 'python or yaml' } },
    execute: async args => {
      const format = args.text('format') === 'yaml' ? 'yaml' : 'python';
      const { text } = await studio.client.automl.code(args.need('id'), format);
      await execute(CommandIDs.copyText, { text });
      Notification.info(`Copied the run as ${format === 'yaml' ? 'YAML' : 'Python'}`, { autoClose: 3000 });
      return text;
    }
  });
  add(app, {
    id: CommandIDs.deployRun,
    label: 'Register and deploy …',
    caption: "Register a run's model, then serve it",
    icon: endpointIcon,
    args: { runId: { type: 'string', description: 'Id of the run', required: true, from: 'run' } },
    execute: async args => {
      const made = (await execute(CommandIDs.registerModel, { runId: args.need('runId') })) as
        { name: string; version: number } | undefined;
      return made && execute(CommandIDs.deploy, { model: made.name, version: String(made.version) });
    }
  });
}
