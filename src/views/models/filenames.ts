/** What a registration from a file is asked for, checked while typing. */
import type { NewVersion } from '../../api/types';
import { aliasError, modelNameError } from './names';

/** What the form holds, as it was typed. */
export interface FileFields {
  /** Whether the file comes from the computer of the browser. */
  upload: boolean;
  path: string;
  name: string;
  alias: string;
  allowCode: boolean;
}

/** Forms whose loading executes what they hold; the server tells them from their content. */
const EXECUTING = /\.(pkl|pickle|joblib|pt|pt2|pth|ckpt|keras|pb)$/i;
const REFUSED = /\.(h5|hdf5|zip|tar|tgz|gz|bz2|xz|7z|rar|whl)$/i;

/** Endings of files that hold models, for the file browser. */
export const MODEL_EXTENSIONS = [
  '.onnx',
  '.skops',
  '.pkl',
  '.pickle',
  '.joblib',
  '.pt',
  '.pth',
  '.keras',
  '.ubj',
  '.cbm'
];

/** Whether loading a file like this may execute code. */
export function mayExecute(path: string): boolean {
  return EXECUTING.test(path);
}

/** Says why a path of the workspace cannot be taken. */
export function filePathError(path: string): string | null {
  if (path.trim() === '') {
    return 'A file or folder is needed.';
  }
  if (path.startsWith('/') || /^[a-z]+:/i.test(path)) {
    return "A path below the workspace's root, without a slash in front.";
  }
  return REFUSED.test(path)
    ? 'HDF5 files and archives are not registered: unpack it, or save it otherwise.'
    : null;
}

/** Says why chosen files cannot be sent. */
export function chosenError(files: readonly Pick<File, 'name'>[]): string | null {
  if (files.length === 0) {
    return 'Choose a file.';
  }
  const refused = files.find(file => REFUSED.test(file.name));
  return refused ? `${refused.name} is HDF5 or an archive, which is not registered.` : null;
}

/** A file that was chosen, alone or with its folder. */
export interface ChosenFile {
  name: string;
  webkitRelativePath?: string;
}

/** The path that a chosen file has in its model: below the folder that was chosen, or its name. */
export function pathIn({ name, webkitRelativePath = '' }: ChosenFile): string {
  return webkitRelativePath.split('/').slice(1).join('/') || name;
}

/** What a model is called after: the folder that was chosen, or the first file. */
export function chosenName([first]: readonly ChosenFile[]): string {
  return (first?.webkitRelativePath ?? '').split('/')[0]! || (first?.name ?? '');
}

/** A model's name for a file: its own without the ending, or its folder's where it is just `model`. */
export function modelNameFor(path: string): string {
  const parts = path.split('/').filter(part => part !== '');
  const stem = (parts.at(-1) ?? '').replace(/\.[^.]+$/, '');
  const name = /^(model|saved_model)$/i.test(stem) && parts.length > 1 ? (parts.at(-2) ?? stem) : stem;
  return modelNameError(name) === null ? name : '';
}

/** The first thing that is wrong with name and alias, or null. */
export function fileFieldsError({ name, alias }: FileFields): string | null {
  return modelNameError(name) ?? aliasError(alias);
}

/** What is sent; the id of an upload is added when its files are there. */
export function fileRequest({ upload, path, name, alias, allowCode }: FileFields): NewVersion {
  return {
    name,
    ...(upload ? {} : { file: path.trim().replace(/\/+$/, '') }),
    ...(alias === '' ? {} : { alias }),
    ...(allowCode ? { allow_code: true } : {})
  };
}

/** The line of Python that does the same, for a file of the workspace. */
export function filePython({ name, file, alias, allow_code: allowCode }: NewVersion): string {
  const options = [
    `name=${JSON.stringify(name)}`,
    `path=${JSON.stringify(file ?? '')}`,
    ...(alias ? [`alias=${JSON.stringify(alias)}`] : []),
    ...(allowCode ? ['allow_code=True'] : [])
  ];
  return `jupyter_mlstudio.register_model(${options.join(', ')})`;
}
