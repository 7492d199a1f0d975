import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRunningSessionManagers, type IRunningSessions } from '@jupyterlab/running';
import type { RunSummary } from '../api/types';
import { CommandIDs, IStudio } from '../tokens';
import { formatDuration, shortened, visible } from '../views/common/format';
import { runIcon } from '../views/common/icons';
import { statusLook } from '../views/common/status';
import { executor } from './commands/add';

/** Lists live runs beside kernels and terminals. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:running',
  description: 'Lists live runs among the running sessions.',
  autoStart: true,
  requires: [IStudio, IRunningSessionManagers],
  activate: (app: JupyterFrontEnd, studio: IStudio, managers: IRunningSessionManagers): void => {
    const execute = executor(app);
    const { liveRuns } = studio;
    liveRuns.retain();
    const item = (run: RunSummary): IRunningSessions.IRunningItem => ({
      icon: () => runIcon,
      label: () => shortened(visible(run.name), 100),
      labelTitle: () =>
        `${shortened(visible(run.name), 200)}\n${run.experiment}\n${statusLook(run.status).word}`,
      detail: () => (run.duration_s === null ? statusLook(run.status).word : formatDuration(run.duration_s)),
      open: () => void execute(CommandIDs.openRun, { id: run.id }),
      shutdown: () => void execute(CommandIDs.stopRun, { id: run.id })
    });
    managers.add({
      name: 'ML Studio Runs',
      running: () => (liveRuns.value?.items ?? []).map(item),
      shutdownAll: () =>
        liveRuns.value?.items.forEach(run => void execute(CommandIDs.stopRun, { id: run.id })),
      refreshRunning: () => void liveRuns.refresh(),
      runningChanged: liveRuns.stateChanged,
      shutdownLabel: 'Stop',
      shutdownAllLabel: 'Stop All Runs',
      shutdownAllConfirmationText: 'Stops every live run and its whole process tree. What they logged stays.'
    });
  }
};
