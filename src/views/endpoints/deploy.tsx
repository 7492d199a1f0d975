/** The form that deploys a model version behind an endpoint. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { Endpoint, Model, NewEndpoint } from '../../api/types';
import type { Execute } from '../../tokens';
import { ErrorBox, Field, type FormProps, Loading, useResource } from '../common';
import { SameAs, TextInput } from '../models/register';
import { endpointNameError, portError, suggestedEndpointName } from './name';

/** A new endpoint; `batch` for one that scores data sets. */
export interface DeployRequest extends NewEndpoint {
  batch?: boolean;
}

export interface DeployFormProps extends FormProps<DeployRequest> {
  /** Given, the line of Python can be copied. */
  execute?: Execute;
}

/** What the form holds, as it was typed. */
export interface DeployFields {
  name: string;
  version: string;
  port: string;
  batch: boolean;
}

/** Says what is wrong with a new endpoint's name; null when it may be used. */
export function newNameError(name: string, endpoints: readonly Pick<Endpoint, 'name'>[]): string | null {
  const taken = endpoints.some(endpoint => endpoint.name.toLowerCase() === name.toLowerCase());
  return endpointNameError(name) ?? (taken ? `There is an endpoint ${name} already.` : null);
}

/** What is sent. */
export function deployRequest(model: string, { name, version, port, batch }: DeployFields): DeployRequest {
  if (batch) {
    return { name, model, version, batch };
  }
  return { name, model, version, ...(port.trim() === '' ? {} : { port: Number(port) }) };
}

/** The line of Python that does the same. */
export function deployPython({ name, model, version, port, batch }: DeployRequest): string {
  const wanted = version ?? 'latest';
  const options = [
    JSON.stringify(model),
    `version=${/^\d+$/.test(wanted) ? wanted : JSON.stringify(wanted)}`,
    `name=${JSON.stringify(name)}`,
    ...(typeof port === 'number' ? [`port=${port}`] : [])
  ];
  return `jupyter_mlstudio.${batch ? 'deploy_batch' : 'deploy'}(${options.join(', ')})`;
}

/** `latest`, the aliases, then the numbers: what a version may be asked for by. */
function versionChoices(model: Model): [value: string, text: string][] {
  const aliases = Object.entries(model.aliases).map(([alias, version]): [string, string] => [
    alias,
    `${alias} (now version ${version})`
  ]);
  return [
    ...model.versions.map((version): [string, string] => [String(version), `version ${version}`]),
    ...aliases
  ];
}

/** What travels: which kind it is stands in the address. */
function sentBody({ batch: _, ...body }: DeployRequest): NewEndpoint {
  return body;
}

const KINDS: readonly (readonly [batch: boolean, title: string, hint: string])[] = [
  [false, 'Real time', 'a process that answers requests over HTTP'],
  [true, 'Batch', 'scores files and folders when it is told to; nothing runs meanwhile']
];

function KindChoice(props: { batch: boolean; onChange: (batch: boolean) => void }): JSX.Element {
  return (
    <fieldset className="jp-mls-Field">
      <legend>Kind</legend>
      {KINDS.map(([batch, title, hint]) => (
        <label key={title} className="jp-mls-Choice">
          <input type="radio" checked={props.batch === batch} onChange={() => props.onChange(batch)} />
          <span>
            {title} <small className="jp-mls-Field-hint">{hint}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** Asks for kind, name, version and port; shows the Python that does the same. */
export function DeployForm({ studio, initial, onChange, execute }: DeployFormProps): JSX.Element {
  const modelName = initial.model ?? '';
  const model = useResource(studio.model(modelName));
  const endpoints = useResource(studio.endpoints).value;
  const batches = useResource(studio.batchEndpoints).value;
  const [fields, setFields] = useState<DeployFields>(() => ({
    name: initial.name ?? suggestedEndpointName(modelName),
    version: String(initial.version ?? 'latest'),
    port: initial.port ? String(initial.port) : '',
    batch: initial.batch ?? false
  }));
  const set = (change: Partial<DeployFields>): void => setFields(before => ({ ...before, ...change }));
  const wrongName = newNameError(fields.name, (fields.batch ? batches : endpoints) ?? []);
  const wrongPort = fields.batch ? null : portError(fields.port);
  const complete = wrongName === null && wrongPort === null && model.value !== undefined;
  const request = useMemo(
    () => (complete ? deployRequest(modelName, fields) : null),
    [complete, fields, modelName]
  );
  useEffect(() => {
    onChange(request);
  }, [onChange, request]);

  if (!model.value) {
    return model.error ? (
      <ErrorBox what="The model cannot be read." error={model.error} retry={() => model.refresh()} />
    ) : (
      <Loading what="Reading the model" />
    );
  }
  const choices = versionChoices(model.value);
  return (
    <div className="jp-mls-Form">
      <KindChoice batch={fields.batch} onChange={batch => set({ batch })} />
      <TextInput
        label="Endpoint name"
        value={fields.name}
        onChange={name => set({ name })}
        problem={wrongName}
        hint={`3 to 32 letters, digits and dashes${fields.batch ? '.' : '; it is part of the URL.'}`}
      />
      <Field
        label={`Version of ${modelName}`}
        hint="An alias is looked up now; moving it later does not move the endpoint."
      >
        {control => (
          <select
            {...control}
            className="jp-mod-styled"
            value={fields.version}
            onChange={event => set({ version: event.target.value })}
          >
            {!choices.some(([value]) => value === fields.version) && (
              <option value={fields.version}>{fields.version}</option>
            )}
            {choices.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      {!fields.batch && (
        <TextInput
          label="Port (optional)"
          value={fields.port}
          onChange={port => set({ port })}
          problem={wrongPort}
          hint="On 127.0.0.1; a free one when left empty. It stays the same after a restart."
        />
      )}
      {request && (
        <SameAs
          python={deployPython(request)}
          url={studio.client.url([fields.batch ? 'batch-endpoints' : 'endpoints'])}
          body={sentBody(request)}
          execute={execute}
        />
      )}
    </div>
  );
}
