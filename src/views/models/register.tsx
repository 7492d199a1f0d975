/** The form that registers a run's model. */
import { type JSX, useEffect, useId, useMemo, useState } from 'react';

import type { NewVersion, Run } from '../../api/types';
import { POSITIVE_TAG, THRESHOLD_TAG } from '../../models/actions';
import { ModelFoldersModel } from '../../models/folders';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import { CopyButton, ErrorBox, Field, type FormProps, Loading, Name, useResource } from '../common';
import {
  type RegisterFields,
  aliasError,
  modelNameError,
  registerError,
  registerPython,
  registerRequest,
  suggestedModelName,
  thresholdError,
  toleranceError
} from './names';
import { apiCurl } from './shell';

export interface RegisterFormProps extends FormProps<NewVersion> {
  /** Given, the line of Python can be copied. */
  execute?: Execute;
}

interface TextInputProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  problem: string | null;
  hint?: string;
  placeholder?: string;
  suggestions?: readonly string[];
}

/** A labelled line of text that says what is wrong with it while it is typed. */
export function TextInput(props: TextInputProps): JSX.Element {
  const { label, value, onChange, problem, hint, placeholder, suggestions } = props;
  const list = useId();
  return (
    <Field label={label} hint={hint} problem={problem ?? undefined}>
      {control => (
        <>
          <input
            {...control}
            className="jp-mod-styled"
            value={value}
            placeholder={placeholder}
            spellCheck={false}
            autoComplete="off"
            list={suggestions ? list : undefined}
            onChange={event => onChange(event.target.value)}
          />
          {suggestions && (
            <datalist id={list}>
              {suggestions.map(one => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
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
export function RegisterForm(props: RegisterFormProps): JSX.Element {
  const { studio, initial, onChange } = props;
  const run = useResource(studio.run(initial.run_id ?? ''));
  useEffect(() => {
    if (!run.value) {
      onChange(null);
    }
  }, [onChange, run.value]);
  if (run.value) {
    return <FieldsOfRun {...props} run={run.value} />;
  }
  return run.error ? (
    <ErrorBox what="The run cannot be read." error={run.error} retry={() => run.refresh()} />
  ) : (
    <Loading what="Reading the run" />
  );
}

function useFolders({ studio, run }: { studio: StudioModel; run: Run }): ModelFoldersModel {
  return useResource(
    useMemo(() => new ModelFoldersModel(studio.feed, studio.client, run.id), [studio, run.id])
  );
}

function FieldsOfRun(props: RegisterFormProps & { run: Run }): JSX.Element {
  const { studio, run, initial, onChange, execute } = props;
  const folders = useFolders(props);
  const [fields, setFields] = useState<RegisterFields>(() => ({
    name: initial.name ?? suggestedModelName(run),
    alias: initial.alias ?? '',
    path: initial.path ?? '',
    tolerance: initial.tolerance ? String(initial.tolerance) : '',
    threshold:
      typeof initial.threshold === 'number' ? String(initial.threshold) : (run.tags[THRESHOLD_TAG] ?? ''),
    positive: initial.positive_label ?? run.tags[POSITIVE_TAG] ?? ''
  }));
  const found = folders.value;
  const path = found?.includes(fields.path) ? fields.path : (found?.[0] ?? null);
  const request = useMemo(() => {
    const ready = path !== null && registerError(fields) === null;
    return ready ? registerRequest(run.id, { ...fields, path }) : null;
  }, [path, fields, run.id]);
  useEffect(() => {
    onChange(request);
  }, [onChange, request]);

  if (!found) {
    return folders.error ? (
      <ErrorBox
        what="The run's files cannot be read."
        error={folders.error}
        retry={() => folders.refresh()}
      />
    ) : (
      <Loading what="Looking for models among the run's files" />
    );
  }
  if (found.length === 0) {
    return <NoModel />;
  }
  const set = (change: Partial<RegisterFields>): void => setFields(before => ({ ...before, ...change }));
  return (
    <div className="jp-mls-Form">
      <NameFields studio={studio} fields={fields} set={set} />
      <FolderField folders={found} value={path ?? ''} onChange={folder => set({ path: folder })} />
      <details open={toleranceError(fields.tolerance) !== null || Boolean(fields.threshold) || undefined}>
        <summary>Advanced</summary>
        <TextInput
          label="Tolerance"
          value={fields.tolerance}
          onChange={tolerance => set({ tolerance })}
          problem={toleranceError(fields.tolerance)}
          hint="The largest difference between ONNX and the original that counts as the same."
          placeholder="1e-5 for probabilities, 1e-4 for values"
        />
        <TextInput
          label="Decision threshold"
          value={fields.threshold ?? ''}
          onChange={threshold => set({ threshold })}
          problem={thresholdError(fields.threshold ?? '')}
          hint="The probability from which a binary classifier answers the class below, in ONNX and at every endpoint."
          placeholder="0.5"
        />
        {(fields.threshold ?? '').trim() !== '' && (
          <TextInput
            label="Class of the threshold"
            value={fields.positive ?? ''}
            onChange={positive => set({ positive })}
            problem={null}
            hint="Answered where its probability reaches the threshold."
            placeholder="the second of the two"
          />
        )}
      </details>
      {request && (
        <SameAs
          python={registerPython(request)}
          url={studio.client.url(['models'])}
          body={request}
          execute={execute}
        />
      )}
    </div>
  );
}

function NoModel(): JSX.Element {
  return (
    <p className="jp-mls-Form">
      This run logged no model. Log one while it runs, with{' '}
      <code>jupyter_mlstudio.log_model(model, sample=X)</code> or <code>mlflow.sklearn.log_model(model)</code>
      , and register that run.
    </p>
  );
}

interface NameFieldsProps {
  studio: StudioModel;
  fields: Pick<RegisterFields, 'name' | 'alias'>;
  set: (change: Partial<Pick<RegisterFields, 'name' | 'alias'>>) => void;
}

/** Name and alias, with what they would become or move. */
export function NameFields({ studio, fields, set }: NameFieldsProps): JSX.Element {
  const models = useResource(studio.models).value ?? [];
  const existing = models.find(model => model.name === fields.name);
  const next = Math.max(0, ...(existing?.versions ?? [])) + 1;
  return (
    <>
      <TextInput
        label="Name"
        value={fields.name}
        onChange={name => set({ name })}
        problem={modelNameError(fields.name)}
        hint={existing ? `Becomes version ${next} of this model.` : 'Becomes version 1 of a new model.'}
        suggestions={models.map(model => model.name)}
      />
      <TextInput
        label="Alias (optional)"
        value={fields.alias}
        onChange={alias => set({ alias })}
        problem={aliasError(fields.alias)}
        hint={aliasHint(existing?.aliases[fields.alias])}
        placeholder="champion"
        suggestions={Object.keys(existing?.aliases ?? {})}
      />
    </>
  );
}

function aliasHint(current: number | undefined): string {
  return current === undefined
    ? 'A name that points at this version; endpoints can be deployed by it.'
    : `Moves from version ${current} to this one.`;
}

/** The Python that does what the form does; the request itself can be copied as curl. */
export function SameAs(props: {
  python: string;
  /** Address and body of the request. */
  url: string;
  body: unknown;
  execute?: Execute | undefined;
}): JSX.Element {
  const { python, url, body, execute } = props;
  return (
    <div className="jp-mls-Equals">
      <code>{python}</code>
      {execute && (
        <div>
          <CopyButton execute={execute} label="Copy as Python" text={python} />
          <CopyButton execute={execute} label="Copy as curl" text={apiCurl(url, body)} />
        </div>
      )}
    </div>
  );
}
