/** The form that registers a run's model. */
import { type JSX, useEffect, useId, useMemo, useState } from 'react';

import type { NewVersion, Run } from '../../api/types';
import { ModelFoldersModel } from '../../models/folders';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import { CopyButton, ErrorBox, Loading, Name, useResource } from '../common';
import {
  type RegisterFields,
  aliasError,
  modelNameError,
  registerError,
  registerPython,
  registerRequest,
  suggestedModelName,
  toleranceError
} from './names';

export interface RegisterFormProps {
  studio: StudioModel;
  run: Run;
  execute: Execute;
  /** Told at once and after every change: what is to be sent, or null while something is wrong. */
  onChange: (request: NewVersion | null) => void;
  /** The model's folder, when the caller knows it. */
  path?: string | undefined;
}

interface TextFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | null;
  hint?: string;
  placeholder?: string;
  suggestions?: readonly string[];
  autoFocus?: boolean;
}

/** A labelled text input that says what is wrong with its text while it is typed. */
export function TextField(props: TextFieldProps): JSX.Element {
  const { label, value, onChange, error, hint, placeholder, suggestions, autoFocus } = props;
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="jp-mls-Field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="jp-mod-styled"
        value={value}
        placeholder={placeholder}
        spellCheck={false}
        autoFocus={autoFocus}
        list={suggestions ? `${id}-list` : undefined}
        aria-invalid={error ? true : undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        onChange={event => onChange(event.target.value)}
      />
      {suggestions && (
        <datalist id={`${id}-list`}>
          {suggestions.map(one => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      {note && (
        <small id={`${id}-note`} className={error ? 'jp-mls-mod-wrong' : 'jp-mls-quiet'}>
          {note}
        </small>
      )}
    </div>
  );
}

function FolderField(props: {
  folders: readonly string[];
  value: string;
  onChange: (path: string) => void;
}): JSX.Element {
  const { folders, value, onChange } = props;
  return (
    <fieldset className="jp-mls-Field">
      <legend>Model folder</legend>
      {folders.map(folder => (
        <label key={folder} className="jp-mls-Choice">
          <input type="radio" checked={folder === value} onChange={() => onChange(folder)} />
          <Name text={folder === '' ? '(all artifacts)' : folder} />
        </label>
      ))}
    </fieldset>
  );
}

/** Asks for name, alias, folder and tolerance; shows the Python that does the same. */
export function RegisterForm({ studio, run, execute, onChange, path }: RegisterFormProps): JSX.Element {
  const models = useResource(studio.models).value ?? [];
  const folders = useResource(
    useMemo(() => new ModelFoldersModel(studio.feed, studio.client, run.id), [studio, run.id])
  );
  const [fields, setFields] = useState<RegisterFields>(() => ({
    name: suggestedModelName(run),
    alias: '',
    path: path ?? '',
    tolerance: ''
  }));
  const set = (change: Partial<RegisterFields>): void => setFields(before => ({ ...before, ...change }));

  const found = folders.value;
  const chosen = found?.includes(fields.path) ? fields.path : (found?.[0] ?? null);
  const request = useMemo(() => {
    const ready = chosen !== null && registerError(fields) === null;
    return ready ? registerRequest(run.id, { ...fields, path: chosen }) : null;
  }, [chosen, fields, run.id]);
  useEffect(() => onChange(request), [onChange, request]);

  if (!found) {
    return folders.error ? (
      <ErrorBox what="The run's files cannot be read." error={folders.error} retry={() => folders.refresh()} />
    ) : (
      <Loading what="Looking for models among the run's files" />
    );
  }
  if (found.length === 0) {
    return (
      <p className="jp-mls-Form">
        This run logged no model. Log one in the run, for example with{' '}
        <code>jupyter_mlstudio.log_model(model, X_sample)</code> or <code>mlflow.sklearn.log_model</code>, and register
        that run.
      </p>
    );
  }
  const existing = models.find(model => model.name === fields.name);
  const next = `becomes version ${Math.max(0, ...(existing?.versions ?? [])) + 1} of ${existing ? 'this model' : 'a new model'}`;
  return (
    <div className="jp-mls-Form">
      <TextField
        label="Name"
        value={fields.name}
        onChange={name => set({ name })}
        error={modelNameError(fields.name)}
        hint={next}
        suggestions={models.map(model => model.name)}
        autoFocus
      />
      <TextField
        label="Alias (optional)"
        value={fields.alias}
        onChange={alias => set({ alias })}
        error={aliasError(fields.alias)}
        hint={aliasHint(existing?.aliases[fields.alias], fields.alias)}
        placeholder="champion"
        suggestions={Object.keys(existing?.aliases ?? {})}
      />
      <FolderField folders={found} value={chosen ?? ''} onChange={folder => set({ path: folder })} />
      <details>
        <summary>Advanced</summary>
        <TextField
          label="Tolerance"
          value={fields.tolerance}
          onChange={tolerance => set({ tolerance })}
          error={toleranceError(fields.tolerance)}
          hint="The largest difference between ONNX and the original that is taken as the same."
          placeholder="1e-4"
        />
      </details>
      {request && (
        <div className="jp-mls-Equals">
          <code>{registerPython(run.id, { ...fields, path: request.path ?? '' })}</code>
          <CopyButton
            execute={execute}
            label="Copy as Python"
            text={registerPython(run.id, { ...fields, path: request.path ?? '' })}
          />
        </div>
      )}
    </div>
  );
}

function aliasHint(current: number | undefined, alias: string): string {
  return current === undefined || alias === ''
    ? 'A name that points at this version; endpoints can be deployed by it.'
    : `Moves from version ${current} to this one.`;
}
