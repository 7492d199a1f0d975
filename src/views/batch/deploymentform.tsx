/** The form that adds a deployment to a batch endpoint, or changes one. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { NewBatchDeployment } from '../../api/types';
import { ErrorBox, type FormProps, Loading, useResource } from '../common';
import { endpointNameError } from '../endpoints/name';
import { ModelField, VersionField } from '../models/choose';
import { TextInput } from '../models/register';
import { BatchFields } from './fields';
import { type BatchDraft, batchDraft, batchProblems, batchSettings } from './settings';

export interface BatchDeploymentRequest {
  name: string;
  /** Names that are taken; null when this deployment is changed. */
  taken: readonly string[] | null;
  request: NewBatchDeployment;
  draft: BatchDraft;
}

export function scriptError(text: string): string | null {
  return text.trim() === '' || (text.endsWith('.py') && !text.startsWith('/'))
    ? null
    : "The path of a .py file below the workspace's root.";
}

interface Typed {
  name: string;
  model: string;
  version: string;
  script: string;
}

function nameProblem({ name }: Typed, taken: readonly string[] | null): string | null {
  if (taken === null) {
    return null;
  }
  return endpointNameError(name) ?? (taken.includes(name) ? `There is a deployment ${name} already.` : null);
}

/** Name, model, version, scoring script and settings. */
export function BatchDeploymentForm({
  studio,
  initial,
  onChange
}: FormProps<BatchDeploymentRequest>): JSX.Element {
  const models = useResource(studio.models);
  const { taken = null, request } = initial;
  const [typed, setTyped] = useState<Typed>(() => ({
    name: initial.name ?? '',
    model: request?.model ?? '',
    version: request?.version ?? 'latest',
    script: request?.script ?? ''
  }));
  const [draft, setDraft] = useState<BatchDraft>(() => initial.draft ?? batchDraft());
  const problems = useMemo(() => batchProblems(draft), [draft]);
  const wrongName = nameProblem(typed, taken);
  const wrongScript = scriptError(typed.script);
  useEffect(() => {
    const good =
      wrongName === null && wrongScript === null && typed.model !== '' && Object.keys(problems).length === 0;
    const { name, model, version, script } = typed;
    const body = { model, version, script: script.trim() || null, settings: batchSettings(draft) };
    onChange(good ? { name, taken, request: body, draft } : null);
  }, [typed, taken, draft, wrongName, wrongScript, problems, onChange]);
  if (!models.value) {
    return models.error ? (
      <ErrorBox what="The models cannot be read." error={models.error} retry={() => models.refresh()} />
    ) : (
      <Loading what="Reading the models" />
    );
  }
  const set = (change: Partial<Typed>): void => setTyped(before => ({ ...before, ...change }));
  return (
    <div className="jp-mls-Form">
      {taken !== null && (
        <TextInput
          label="Deployment name"
          value={typed.name}
          onChange={name => set({ name })}
          problem={typed.name === '' ? null : wrongName}
          hint="3 to 32 letters, digits and dashes."
        />
      )}
      <ModelField
        models={models.value}
        model={typed.model}
        onChange={model => set({ model, version: 'latest' })}
      />
      <VersionField
        models={models.value}
        model={typed.model}
        version={typed.version}
        hint="Jobs that are under way go on with theirs."
        onChange={version => set({ version })}
      />
      <TextInput
        label="Scoring script (optional)"
        value={typed.script}
        onChange={script => set({ script })}
        problem={wrongScript}
        placeholder="score.py"
        hint="With init() and run(mini_batch); it executes as you. Without one the ONNX form answers."
      />
      <details open={Object.keys(problems).length > 0 || undefined}>
        <summary>Settings</summary>
        <BatchFields
          draft={draft}
          problems={problems}
          set={(field, value) => setDraft(before => ({ ...before, [field]: value }))}
        />
      </details>
    </div>
  );
}
