import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { RunCard } from '../panels/card';
import { IStudio, RUN_MIME_TYPE } from '../tokens';
import { executor } from './commands/add';

/** ipywidgets' renderer ranks 0; the card must win, because it lives on when the kernel does not. */
const RANK = -10;

/** Draws runs under their cells. */
export const mimePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:mime',
  description: 'Renders the card of a run in notebooks.',
  autoStart: true,
  requires: [IStudio, IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, studio: IStudio, rendermime: IRenderMimeRegistry): void => {
    const execute = executor(app);
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [RUN_MIME_TYPE],
        createRenderer: () => new RunCard({ studio, execute })
      },
      RANK
    );
  }
};
