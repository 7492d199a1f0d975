import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { LiveRunsStatus, liveCount } from '../panels/statusbar';
import { IStudio } from '../tokens';
import { executor } from './commands/add';

/** "2 live" in the status bar, while there are any. */
export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:statusbar',
  description: 'Shows how many runs are live.',
  autoStart: true,
  requires: [IStudio, IStatusBar],
  activate: (app: JupyterFrontEnd, studio: IStudio, statusBar: IStatusBar): void => {
    statusBar.registerStatusItem('jupyter_mlstudio:live', {
      item: new LiveRunsStatus({ studio, execute: executor(app) }),
      align: 'left',
      rank: 100,
      isActive: () => liveCount(studio.liveRuns) > 0,
      activeStateChanged: studio.liveRuns.stateChanged
    });
  }
};
