import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import { IStateDB } from '@jupyterlab/statedb';
import { StudioModel } from '../models/studio';
import { IStudio } from '../tokens';

/** Looks into the folder instead of asking for the file, so that a file that is not there is no error. */
function existsIn(contents: Contents.IManager): (path: string) => Promise<boolean> {
  return async path => {
    const steps = path.split('/');
    for (let depth = 0; depth < steps.length; depth += 1) {
      const folder = steps.slice(0, depth).join('/');
      const list = (await contents.get(folder, { content: true })).content as Contents.IModel[];
      if (!list.some(item => item.name === steps[depth])) {
        return false;
      }
    }
    return PathExt.basename(path) !== '';
  };
}

/** Provides the studio: its resources, one clock, one client. */
export const studioPlugin: JupyterFrontEndPlugin<IStudio> = {
  id: 'jupyter_mlstudio:studio',
  description: 'Provides the studio: runs, experiments, models, endpoints and compute of this server.',
  autoStart: true,
  provides: IStudio,
  optional: [IStateDB],
  activate: (app: JupyterFrontEnd, state: IStateDB | null): IStudio => {
    const { contents, events, serverSettings } = app.serviceManager;
    return new StudioModel({
      settings: serverSettings,
      events,
      ...(state ? { preferences: state } : {}),
      exists: existsIn(contents)
    });
  }
};
