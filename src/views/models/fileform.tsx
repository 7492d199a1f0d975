/** The form that registers a file: one of the workspace, or one of the computer that the browser runs on. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { NewVersion } from '../../api/types';
import type { Execute } from '../../tokens';
import { Field, type FormProps, Name, formatBytes } from '../common';
import {
  type FileFields,
  chosenError,
  chosenName,
  fileFieldsError,
  filePathError,
  filePython,
  fileRequest,
  mayExecute,
  modelNameFor,
  pathIn
} from './filenames';
import { NameFields, SameAs, TextInput } from './register';

export interface FileRegistration {
  request: NewVersion;
  /** Sent first, when they come from the browser's computer. */
  files: readonly File[];
  fields: FileFields;
}

export interface FileFormProps extends FormProps<FileRegistration> {
  /** Given, the line of Python can be copied. */
  execute?: Execute;
}

/** So many of the chosen files are named. */
const LISTED = 8;

function SourceChoice(props: { upload: boolean; onChange: (upload: boolean) => void }): JSX.Element {
  return (
    <fieldset className="jp-mls-Field">
      <legend>From</legend>
      {([false, true] as const).map(upload => (
        <label key={String(upload)} className="jp-mls-Choice">
          <input type="radio" checked={props.upload === upload} onChange={() => props.onChange(upload)} />
          {upload ? 'This computer' : 'The workspace'}
        </label>
      ))}
    </fieldset>
  );
}

function Chosen(props: { files: readonly File[]; onChoose: (files: File[]) => void }): JSX.Element {
  const { files, onChoose } = props;
  return (
    <>
      <Field label="File" problem={files.length === 0 ? undefined : (chosenError(files) ?? undefined)}>
        {control => (
          <input
            {...control}
            type="file"
            multiple
            onChange={event => onChoose([...(event.target.files ?? [])])}
          />
        )}
      </Field>
      <Field label="Or a folder" hint="Such as one that MLflow saved; its folders are kept.">
        {control => (
          <input
            {...control}
            type="file"
            ref={input => input?.setAttribute('webkitdirectory', '')}
            onChange={event => onChoose([...(event.target.files ?? [])])}
          />
        )}
      </Field>
      {files.slice(0, LISTED).map(file => (
        <div key={pathIn(file)} className="jp-mls-quiet">
          <Name text={pathIn(file)} /> {formatBytes(file.size)}
        </div>
      ))}
      {files.length > LISTED && <div className="jp-mls-quiet">and {files.length - LISTED} more</div>}
    </>
  );
}

function AllowCode(props: { checked: boolean; onChange: (checked: boolean) => void }): JSX.Element {
  return (
    <fieldset className="jp-mls-Field">
      <label className="jp-mls-Choice">
        <input
          type="checkbox"
          checked={props.checked}
          onChange={event => props.onChange(event.target.checked)}
        />
        Load it though it may execute code
      </label>
      <small className="jp-mls-Field-hint">
        A file of this form can run anything, as you, while it is converted. Without this it is kept, and
        refused. The journal keeps that you allowed it.
      </small>
    </fieldset>
  );
}

const EMPTY: FileFields = { upload: false, path: '', name: '', alias: '', allowCode: false };

/** Asks for the file, the model's name and an alias; what may execute code needs a word of its own. */
export function RegisterFileForm({ studio, initial, onChange, execute }: FileFormProps): JSX.Element {
  const [fields, setFields] = useState<FileFields>(() => {
    const given = { ...EMPTY, ...initial.fields };
    return { ...given, name: given.name || modelNameFor(given.path) };
  });
  const [files, setFiles] = useState<readonly File[]>(initial.files ?? []);
  const [named, setNamed] = useState((initial.fields?.name ?? '') !== '');
  const [typed, setTyped] = useState(false);
  const set = (change: Partial<FileFields>): void => setFields(before => ({ ...before, ...change }));
  const { upload, path, allowCode } = fields;
  const wrongSource = upload ? chosenError(files) : filePathError(path);
  const executes = upload ? files.some(file => mayExecute(file.name)) : mayExecute(path);
  const request = useMemo(
    () =>
      wrongSource === null && fileFieldsError(fields) === null
        ? fileRequest({ ...fields, allowCode: allowCode && executes })
        : null,
    [fields, wrongSource, allowCode, executes]
  );
  useEffect(() => {
    onChange(request ? { request, files: upload ? files : [], fields } : null);
  }, [onChange, request, upload, files, fields]);
  const suggest = (from: string): Partial<FileFields> => (named ? {} : { name: modelNameFor(from) });
  return (
    <div className="jp-mls-Form">
      <SourceChoice upload={upload} onChange={chosen => set({ upload: chosen })} />
      {upload ? (
        <Chosen
          files={files}
          onChoose={chosen => {
            setFiles(chosen);
            set(suggest(chosenName(chosen)));
          }}
        />
      ) : (
        <TextInput
          label="File or folder"
          value={path}
          onChange={value => {
            setTyped(true);
            set({ path: value, ...suggest(value) });
          }}
          problem={typed ? wrongSource : null}
          placeholder="models/risk.onnx"
          hint="Below the workspace's root. ONNX, skops, pickle, joblib, PyTorch, Keras, XGBoost, LightGBM, CatBoost, or a folder that MLflow saved."
        />
      )}
      <NameFields
        studio={studio}
        fields={fields}
        set={change => {
          setNamed(named || change.name !== undefined);
          set(change);
        }}
      />
      {executes && <AllowCode checked={allowCode} onChange={checked => set({ allowCode: checked })} />}
      {request && !upload && (
        <SameAs
          python={filePython(request)}
          url={studio.client.url(['models'])}
          body={request}
          execute={execute}
        />
      )}
    </div>
  );
}
