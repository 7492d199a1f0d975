import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { CommandIDs, IStudio } from '../tokens';
import { CATEGORY } from './commands/add';

/** Cards in the launcher: the sidebar, a new AutoML run, and the quickstart notebook where there is one. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:launcher',
  description: 'Adds ML Studio to the launcher.',
  autoStart: true,
  requires: [IStudio, ILauncher],
  activate: (app: JupyterFrontEnd, studio: IStudio, launcher: ILauncher): void => {
    launcher.add({ command: CommandIDs.openStudio, category: CATEGORY, rank: 1 });
    launcher.add({ command: CommandIDs.newAutoML, category: CATEGORY, rank: 3 });
    void app.restored
      .then(() => studio.quickstart.refresh())
      .then(() => {
        if (studio.quickstart.value?.path) {
          launcher.add({ command: CommandIDs.openQuickstart, category: CATEGORY, rank: 2 });
        }
      });
  }
};
