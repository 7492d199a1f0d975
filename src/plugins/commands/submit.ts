/** Submitting files and notebooks as runs. */
import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { StudioError } from '../../api/client';
import type { NewRun, Run } from '../../api/types';
import { currentFolder, inWorkspace } from '../../models/files';
import { showForm } from '../../panels/dialog';
import { CommandIDs } from '../../tokens';
import { runIcon } from '../../views/common/icons';
import { type Workbench, add } from './add';
import { submitted } from './runs';

/** What the commands need to know of the rest of Lab: which file is meant when none is named. */
export interface Files {
  documents: IDocumentManager | null;
  /** The file that is selected in the file browser. */
  selectedPath: () => string | undefined;
  /** The notebook in front. */
  notebookPath: () => string | undefined;
}

export function addSubmitCommands(bench: Workbench, files: Files): void {
  const path = { type: 'string', description: 'Path of the file, as the file browser names it' } as const;
  add(bench.app, {
    id: CommandIDs.submitFile,
    label: 'Submit as run',
    caption: 'Submit the selected script or notebook as a run',
    icon: runIcon,
    args: { path },
    execute: args => submitPath(bench, files, args.text('path') ?? files.selectedPath())
  });
  add(bench.app, {
    id: CommandIDs.submitNotebook,
    label: 'Submit notebook as run',
    caption: 'Save this notebook and submit a copy of it as a run',
    icon: runIcon,
    args: { path },
    execute: args => submitPath(bench, files, args.text('path') ?? files.notebookPath())
  });
}

async function submitPath(
  bench: Workbench,
  files: Files,
  path: string | undefined
): Promise<string | undefined> {
  const { studio, execute } = bench;
  if (!path) {
    throw new StudioError('invalid', 'Select a .py or .ipynb file first.', 400);
  }
  const extension = PathExt.extname(path).toLowerCase();
  if (extension !== '.py' && extension !== '.ipynb') {
    throw new StudioError('invalid', `${path} is neither a script (.py) nor a notebook (.ipynb).`, 400);
  }
  const inside = await below(bench, path);
  await savedFirst(files.documents, path);
  const { SubmitForm } = await import('../../views/submit');
  const run = await showForm<NewRun, Run>({
    title: `Submit ${PathExt.basename(path)}`,
    action: 'Submit',
    studio,
    Form: SubmitForm,
    initial: requestFor(inside, extension === '.ipynb'),
    submit: studio.client.submitRun
  });
  if (run) {
    submitted(execute, run.id, run.name);
  }
  return run?.id;
}

/** The request for a file, by its path below the workspace's root; it runs in the folder that it lies in. */
export function requestFor(path: string, notebook: boolean): NewRun {
  const folder = PathExt.dirname(path);
  const name = PathExt.basename(path);
  return notebook
    ? { kind: 'notebook', spec: { notebook: name, folder }, origin: { notebook: path } }
    : { kind: 'script', spec: { script: name, folder }, origin: { script: path } };
}

/** A path of the file browser as one below the workspace's root. */
export async function below({ studio }: Workbench, path: string): Promise<string> {
  const folder = await currentFolder(studio.client, PageConfig.getOption('serverRoot'));
  const inside = folder === null ? null : inWorkspace(path, folder);
  if (inside === null) {
    throw new StudioError(
      'invalid',
      `${path} is not in the workspace${folder ? ` (${folder})` : ''}. Move it there, or start the server in its folder.`,
      400
    );
  }
  return inside;
}

async function savedFirst(documents: IDocumentManager | null, path: string): Promise<void> {
  const widget = documents?.findWidget(path);
  const context = widget && documents?.contextForWidget(widget);
  if (context?.model.dirty) {
    await context.save();
  }
}
