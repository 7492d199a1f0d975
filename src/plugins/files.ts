import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { spreadsheetIcon } from '@jupyterlab/ui-components';
import { CommandIDs, IStudio } from '../tokens';
import { modelIcon } from '../views/common/icons';
import { MODEL_EXTENSIONS } from '../views/models/filenames';

const MODEL_FILE = 'mlstudio-model';
const PARQUET_FILE = 'mlstudio-parquet';

/** "Submit as run" on scripts and notebooks, "Register as model" on models, "New AutoML run" on tables. */
export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:files',
  description: 'Adds "Submit as run", "Register as model" and "New AutoML run" to the file browser.',
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
    app.docRegistry.addFileType({
      name: MODEL_FILE,
      displayName: 'Model File',
      extensions: MODEL_EXTENSIONS,
      mimeTypes: ['application/octet-stream'],
      contentType: 'file',
      fileFormat: 'base64',
      icon: modelIcon
    });
    app.contextMenu.addItem({
      command: CommandIDs.registerFile,
      args: { selected: true },
      selector: `.jp-DirListing-item[data-file-type="${MODEL_FILE}"]`,
      rank: 4.5
    });
    app.docRegistry.addFileType({
      name: PARQUET_FILE,
      displayName: 'Parquet File',
      extensions: ['.parquet'],
      mimeTypes: ['application/vnd.apache.parquet'],
      contentType: 'file',
      fileFormat: 'base64',
      icon: spreadsheetIcon
    });
    for (const type of ['csv', 'tsv', 'jsonl', PARQUET_FILE]) {
      app.contextMenu.addItem({
        command: CommandIDs.automlFile,
        args: { selected: true },
        selector: `.jp-DirListing-item[data-file-type="${type}"]`,
        rank: 4.5
      });
    }
  }
};
