import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { CommandIDs, IStudio } from '../tokens';

/** "Submit as run" on scripts and notebooks in the file browser. */
export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:files',
  description: 'Adds "Submit as run" to the file browser.',
  autoStart: true,
  requires: [IStudio, IDefaultFileBrowser],
  activate: (app: JupyterFrontEnd): void => {
    for (const type of ['python', 'notebook']) {
      app.contextMenu.addItem({
        command: CommandIDs.submitFile,
        selector: `.jp-DirListing-item[data-file-type="${type}"]`,
        rank: 4.5
      });
    }
  }
};
