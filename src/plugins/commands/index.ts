import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { CommandIDs, IStudio } from '../../tokens';
import { CATEGORY, type Workbench, executor } from './add';
import { addAutoMLCommands } from './automl';
import { addBatchCommands } from './batch';
import { addDeploymentCommands } from './deployments';
import { addGeneralCommands } from './general';
import { addGraphCommands } from './graphs';
import { addEndpointCommands } from './endpoints';
import { addModelCommands } from './models';
import { addRegisterFile } from './registerfile';
import { addReviewCommands } from './reviews';
import { addExperimentCommands, addRunCommands } from './runs';
import { addSubmitCommands } from './submit';
import { addSweepCommands } from './sweeps';

/** Commands that can do without arguments, and so stand in the palette. */
const PALETTE = [
  CommandIDs.submitFile,
  CommandIDs.submitNotebook,
  CommandIDs.newExperiment,
  CommandIDs.registerFile,
  CommandIDs.openQuickstart,
  CommandIDs.refresh
];

/** Everything that can be done, as commands; buttons, menus and shortcuts only call them. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:commands',
  description: 'Adds the commands of the studio.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, IDocumentManager, IDefaultFileBrowser, INotebookTracker, IRenderMimeRegistry],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    documents: IDocumentManager | null,
    browser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
    rendermime: IRenderMimeRegistry | null
  ): void => {
    const bench: Workbench = { app, studio, execute: executor(app) };
    addRunCommands(bench);
    addExperimentCommands(bench);
    addSweepCommands(bench);
    addModelCommands(bench);
    addReviewCommands(bench, rendermime);
    addGraphCommands(bench);
    addEndpointCommands(bench);
    addDeploymentCommands(bench);
    addBatchCommands(bench);
    addGeneralCommands(bench);
    const selectedPath = (): string | undefined => browser?.selectedItems().next().value?.path;
    addRegisterFile(bench, selectedPath);
    addAutoMLCommands(bench, { documents, notebooks, selectedPath });
    addSubmitCommands(bench, {
      documents,
      selectedPath,
      notebookPath: () => notebooks?.currentWidget?.context.path
    });
    for (const command of PALETTE) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};
