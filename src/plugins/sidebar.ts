import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { SidebarPanel } from '../panels/sidebar';
import { CommandIDs, IStudio } from '../tokens';
import { studioIcon } from '../views/common/icons';
import { CATEGORY, add, executor } from './commands/add';

/** Context menus of rows, by the kind of thing that a row stands for. */
const MENUS: readonly (readonly [kind: string, commands: readonly string[]])[] = [
  [
    'run',
    [
      CommandIDs.openRun,
      CommandIDs.stopRun,
      CommandIDs.retryRun,
      CommandIDs.sweepRun,
      CommandIDs.registerModel,
      CommandIDs.renameRun,
      CommandIDs.deleteRun
    ]
  ],
  ['experiment', [CommandIDs.openExperiment, CommandIDs.editExperiment, CommandIDs.archiveExperiment]],
  ['model', [CommandIDs.openModel, CommandIDs.deploy, CommandIDs.describeModel, CommandIDs.deleteModel]],
  [
    'endpoint',
    [
      CommandIDs.openEndpoint,
      CommandIDs.stopEndpoint,
      CommandIDs.restartEndpoint,
      CommandIDs.describeEndpoint,
      CommandIDs.deleteEndpoint
    ]
  ],
  ['batch', [CommandIDs.openBatch, CommandIDs.scoreBatch, CommandIDs.describeBatch, CommandIDs.deleteBatch]],
  ['compute', [CommandIDs.setSlots]]
];

/** The studio's panel in the left sidebar. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:sidebar',
  description: 'Adds the ML Studio sidebar.',
  autoStart: true,
  requires: [IStudio],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const panel = new SidebarPanel({ studio, execute: executor(app) });
    restorer?.add(panel, panel.id);
    app.shell.add(panel, 'left', { rank: 501, type: 'ML Studio' });
    add(app, {
      id: CommandIDs.openStudio,
      label: 'ML Studio',
      caption: 'Runs, experiments, models and endpoints of this server',
      icon: studioIcon,
      execute: () => Promise.resolve(app.shell.activateById(panel.id))
    });
    palette?.addItem({ command: CommandIDs.openStudio, category: CATEGORY });
    for (const [kind, commands] of MENUS) {
      commands.forEach((command, rank) => {
        app.contextMenu.addItem({
          command,
          args: { fromMenu: true },
          selector: `[data-mls-row="${kind}"]`,
          rank
        });
      });
    }
  }
};
