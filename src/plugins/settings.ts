import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStudio } from '../tokens';

/** Carries the settings editor's values into the studio's preferences. */
export const settingsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:plugin',
  description: 'Settings, menus and toolbar items of the studio.',
  autoStart: true,
  requires: [IStudio],
  optional: [ISettingRegistry],
  activate: async (_: JupyterFrontEnd, studio: IStudio, registry: ISettingRegistry | null): Promise<void> => {
    const settings = await registry?.load('jupyter_mlstudio:plugin');
    const apply = (): void => {
      const { recentRuns } = settings?.composite ?? {};
      if (typeof recentRuns === 'number') {
        studio.recentRuns.setPageSize(recentRuns);
      }
    };
    settings?.changed.connect(apply);
    apply();
  }
};
