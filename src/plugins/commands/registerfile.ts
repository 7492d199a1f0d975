/** Registering a file as a model version: one of the workspace, or sent from the browser's computer. */
import type { Client } from '../../api/client';
import type { ModelVersion } from '../../api/types';
import { showForm } from '../../panels/dialog';
import { CommandIDs } from '../../tokens';
import type { FileRegistration } from '../../views/models/fileform';
import { pathIn } from '../../views/models/filenames';
import { modelIcon } from '../../views/common/icons';
import { type Workbench, add } from './add';
import { below } from './submit';

/** Sends the files and registers them; what was sent is removed again when that fails. */
export async function registerFiles(
  client: Pick<Client, 'uploadModelFile' | 'registerModel' | 'discardUpload'>,
  { request, files }: FileRegistration
): Promise<ModelVersion> {
  if (files.length === 0) {
    return client.registerModel(request);
  }
  const upload = crypto.randomUUID().replace(/-/g, '');
  try {
    for (const file of files) {
      await client.uploadModelFile(upload, pathIn(file), file);
    }
    return await client.registerModel({ ...request, upload });
  } catch (why) {
    await client.discardUpload(upload).catch(() => undefined);
    throw why;
  }
}

/** `selectedPath` is the file that is meant from the context menu of the file browser. */
export function addRegisterFile(bench: Workbench, selectedPath: () => string | undefined): void {
  const { app, studio, execute } = bench;
  add(app, {
    id: CommandIDs.registerFile,
    label: 'Register as model …',
    caption: 'Register a file of the workspace, or of this computer, as a model version',
    icon: modelIcon,
    args: {
      path: { type: 'string', description: 'Path of the file, as the file browser names it' },
      selected: { type: 'boolean', description: 'Take the file that is selected in the file browser' }
    },
    execute: async args => {
      const { RegisterFileForm } = await import('../../views/models');
      const path = args.text('path') ?? (args.get('selected') === true ? selectedPath() : undefined);
      const fields = {
        upload: false,
        path: path === undefined ? '' : await below(bench, path),
        name: '',
        alias: '',
        allowCode: false
      };
      const version = await showForm<FileRegistration, ModelVersion>({
        title: 'Register a file',
        action: 'Register',
        studio,
        execute,
        Form: RegisterFileForm,
        initial: { fields },
        submit: wanted => registerFiles(studio.client, wanted)
      });
      if (version) {
        await execute(CommandIDs.openModel, { name: version.model, version: version.version });
      }
      return version ? { name: version.model, version: version.version } : undefined;
    }
  });
}
