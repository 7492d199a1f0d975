import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { CommandToolbarButton } from '@jupyterlab/ui-components';
import { CommandIDs, IStudio } from '../tokens';

/** A button in each notebook's toolbar that submits the notebook as a run. */
export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:notebook',
  description: 'Adds "Submit notebook as run" to notebooks.',
  autoStart: true,
  requires: [IStudio, INotebookTracker],
  activate: (app: JupyterFrontEnd, _studio: IStudio, notebooks: INotebookTracker): void => {
    const equip = (panel: NotebookPanel): void => {
      const button = new CommandToolbarButton({
        commands: app.commands,
        id: CommandIDs.submitNotebook,
        label: ''
      });
      panel.toolbar.insertBefore('spacer', 'mlstudio-submit', button);
    };
    notebooks.forEach(equip);
    notebooks.widgetAdded.connect((_, panel) => equip(panel));
  }
};
