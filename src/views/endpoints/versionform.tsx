/** The form that adds a deployment to an endpoint, or swaps the version of one. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { NewDeployment } from '../../api/types';
import { ErrorBox, type FormProps, Loading, useResource } from '../common';
import { ModelField, VersionField } from '../models/choose';
import { TextInput } from '../models/register';
import { endpointNameError } from './name';

interface Wanted extends NewDeployment {
  /** Names that are taken; null when only the version of this deployment is asked for. */
  taken: readonly string[] | null;
}

/** Asks for a name (of a new one), a model and a version, and how many processes there may be. */
export function DeploymentForm({ studio, initial, onChange }: FormProps<Wanted>): JSX.Element {
  const models = useResource(studio.models);
  const { taken = null } = initial;
  const [name, setName] = useState(initial.name ?? '');
  const [model, setModel] = useState(initial.model ?? '');
  const [version, setVersion] = useState(String(initial.version ?? 'latest'));
  const [processes, setProcesses] = useState('1');
  const wrongName =
    taken === null
      ? null
      : (endpointNameError(name) ??
        (taken.some(one => one.toLowerCase() === name.toLowerCase())
          ? `There is a deployment ${name} already.`
          : null));
  const most = Number(processes);
  const wrongProcesses =
    Number.isInteger(most) && most >= 1 && most <= 64 ? null : 'A whole number from 1 to 64.';
  const request = useMemo<Wanted | null>(
    () =>
      wrongName === null && wrongProcesses === null && model !== '' && version !== ''
        ? {
            name,
            model,
            version,
            taken,
            ...(taken === null ? {} : { settings: { scale_settings: { max_instances: most } } })
          }
        : null,
    [name, model, version, taken, most, wrongName, wrongProcesses]
  );
  useEffect(() => {
    onChange(request);
  }, [onChange, request]);
  if (!models.value) {
    return models.error ? (
      <ErrorBox what="The models cannot be read." error={models.error} retry={() => models.refresh()} />
    ) : (
      <Loading what="Reading the models" />
    );
  }
  return (
    <div className="jp-mls-Form">
      {taken !== null && (
        <TextInput
          label="Deployment name"
          value={name}
          onChange={setName}
          problem={name === '' ? null : wrongName}
          hint="3 to 32 letters, digits and dashes, such as green."
        />
      )}
      <ModelField models={models.value} model={model} onChange={setModel} />
      <VersionField
        models={models.value}
        model={model}
        version={version}
        hint="New processes take over when they are ready; no request fails meanwhile."
        onChange={setVersion}
      />
      {taken !== null && (
        <TextInput
          label="Processes at most"
          value={processes}
          onChange={setProcesses}
          problem={wrongProcesses}
          hint="There is one more when those that are there are busy."
        />
      )}
    </div>
  );
}
