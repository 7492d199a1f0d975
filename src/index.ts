/** The list of plugins, nothing else. */
import { commandsPlugin } from './plugins/commands';
import { filesPlugin } from './plugins/files';
import { launcherPlugin } from './plugins/launcher';
import { mimePlugin } from './plugins/mime';
import { notebookPlugin } from './plugins/notebook';
import { runningPlugin } from './plugins/running';
import { settingsPlugin } from './plugins/settings';
import { sidebarPlugin } from './plugins/sidebar';
import { statusBarPlugin } from './plugins/statusbar';
import { studioPlugin } from './plugins/studio';
import { viewsPlugin } from './plugins/views';

export { IStudio, CommandIDs } from './tokens';

export default [
  studioPlugin,
  settingsPlugin,
  commandsPlugin,
  viewsPlugin,
  sidebarPlugin,
  launcherPlugin,
  filesPlugin,
  notebookPlugin,
  mimePlugin,
  runningPlugin,
  statusBarPlugin
];
