/** Commands that are about no one thing: text, files, slots, refresh. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, InputDialog, Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { NotebookPanel } from '@jupyterlab/notebook';
import { notebookIcon, refreshIcon } from '@jupyterlab/ui-components';
import { StudioError } from '../../api/client';
import { currentFolder, inContents } from '../../models/files';
import { CommandIDs } from '../../tokens';
import { type Workbench, add } from './add';

export function addGeneralCommands({ app, studio }: Workbench): void {
  add(app, {
    id: CommandIDs.copyText,
    label: 'Copy',
    caption: 'Copy a text',
    args: {
      text: { type: 'string', description: 'What to copy', required: true },
      id: { type: 'string', description: 'Id of a run', from: 'run' }
    },
    execute: async args => Clipboard.copyToSystem(args.text('text') ?? args.need('id'))
  });
  add(app, {
    id: CommandIDs.download,
    label: 'Download',
    caption: 'Download a file of a run or of a model version',
    args: {
      runId: { type: 'string', description: 'Id of the run' },
      model: { type: 'string', description: 'Name of the model' },
      version: { type: 'string', description: 'Version of the model' },
      path: { type: 'string', description: 'Path of the file' },
      url: { type: 'string', description: 'Address of the file below the base URL, instead of the others' },
      name: { type: 'string', description: 'What the file is to be called' }
    },
    execute: async args => {
      const { client } = studio;
      const run = args.text('runId');
      const url =
        args.text('url') ??
        (run
          ? client.artifactUrl(run, args.need('path'))
          : client.modelFileUrl(args.need('model'), args.need('version'), args.need('path')));
      if (!url.startsWith(client.settings.baseUrl)) {
        throw new StudioError('invalid', `${url} is not below ${client.settings.baseUrl}.`, 400);
      }
      save(url, args.text('name') ?? args.text('path')?.split('/').pop() ?? '');
      return Promise.resolve();
    }
  });
  add(app, {
    id: CommandIDs.openFile,
    label: 'Open file',
    caption: "Open a file by its path below the workspace's root",
    args: {
      path: { type: 'string', description: "Path below the workspace's root", required: true },
      cellId: { type: 'string', description: 'Id of the cell to go to, in a notebook' }
    },
    execute: async args => {
      const path = args.need('path');
      const folder = await currentFolder(studio.client, PageConfig.getOption('serverRoot'));
      if (folder === null) {
        throw new StudioError('not_found', `${path} is not below the folder that this server shows.`, 404);
      }
      const cellId = args.text('cellId');
      await app.commands.execute('docmanager:open', {
        path: inContents(path, folder)
      });
      if (cellId) {
        await goToCell(app, cellId);
      }
    }
  });
  add(app, {
    id: CommandIDs.openQuickstart,
    label: 'Open the quickstart notebook',
    caption: 'From a notebook cell to a scoring endpoint, step by step',
    icon: notebookIcon,
    execute: async () => {
      await studio.quickstart.refresh();
      const path = studio.quickstart.value?.path;
      if (!path) {
        throw new StudioError(
          'not_found',
          'There is no quickstart.ipynb among the files of this server.',
          404
        );
      }
      return app.commands.execute('docmanager:open', { path });
    }
  });
  add(app, {
    id: CommandIDs.setSlots,
    label: 'Change slots …',
    caption: 'Change how many runs may be active at once',
    args: {
      name: { type: 'string', description: 'Name of the compute target', required: true, from: 'target' },
      slots: { type: 'number', description: 'How many runs may be active at once' }
    },
    execute: async args => {
      const name = args.need('name');
      const slots =
        args.number('slots') ??
        (await askSlots(name, studio.compute.value?.find(one => one.name === name)?.slots));
      if (slots !== undefined) {
        await studio.client.updateCompute(name, slots);
        await studio.compute.refresh();
      }
    }
  });
  add(app, {
    id: CommandIDs.refresh,
    label: 'Refresh ML Studio',
    caption: 'Ask the server now what changed',
    icon: refreshIcon,
    execute: async () => {
      await studio.feed.poll();
      if (studio.feed.error) {
        Notification.warning(studio.feed.error.message, { autoClose: 5000 });
      }
    }
  });
}

async function askSlots(name: string, now: number | undefined): Promise<number | undefined> {
  const { button, value } = await InputDialog.getNumber({
    title: `Slots of ${name}`,
    label: 'Runs that may be active at once',
    value: now ?? 1
  });
  return button.accept && value !== null ? Math.round(value) : undefined;
}

/** Leaves the transfer to the browser, so that no file is too large; the server sends it as an attachment. */
function save(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

/** Scrolls to a cell of the notebook in front, once it is there. */
async function goToCell(app: JupyterFrontEnd, cellId: string): Promise<void> {
  const panel = app.shell.currentWidget;
  if (!(panel instanceof NotebookPanel)) {
    return;
  }
  await panel.context.ready;
  const { content } = panel;
  const index = content.widgets.findIndex(cell => cell.model.id === cellId);
  if (index >= 0) {
    content.activeCellIndex = index;
    await content.scrollToItem(index, 'center');
  }
}
