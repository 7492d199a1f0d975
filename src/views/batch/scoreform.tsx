/** The form that scores a data set: which data, which deployment, and what is different for this job. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { BatchEndpoint, Invocation } from '../../api/types';
import { Field, type FormProps } from '../common';
import { TextInput } from '../models/register';
import { BatchFields } from './fields';
import { type BatchDraft, batchDraft, batchOverrides, batchProblems } from './settings';

export interface ScoreRequest {
  endpoint: BatchEndpoint;
  request: Invocation;
  draft: BatchDraft;
}

/** Says why a text is no reference to data. */
export function dataError(text: string): string | null {
  if (text.trim() === '') {
    return 'A file, a folder or a pattern is needed.';
  }
  if (/^runs:\/[^/]/.test(text)) {
    return null;
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    return 'Only data of this workspace, or runs:/ID/PATH.';
  }
  return text.startsWith('/') ? "A path below the workspace's root, without a slash in front." : null;
}

/** Asks for the data; the settings are those of the deployment unless changed. */
export function ScoreForm({ initial, onChange }: FormProps<ScoreRequest>): JSX.Element | null {
  const { endpoint } = initial;
  const given = initial.request;
  const [data, setData] = useState(given?.data ?? '');
  const [name, setName] = useState(given?.deployment ?? endpoint?.default_deployment ?? '');
  const chosen = endpoint?.deployments.find(one => one.name === name);
  const [draft, setDraft] = useState<BatchDraft>(() => initial.draft ?? batchDraft(chosen?.settings));
  const [touched, setTouched] = useState(false);
  const problems = useMemo(() => batchProblems(draft), [draft]);
  const wrongData = dataError(data);
  useEffect(() => {
    const good = chosen && wrongData === null && Object.keys(problems).length === 0;
    onChange(
      endpoint && good
        ? {
            endpoint,
            draft,
            request: { data: data.trim(), deployment: name, settings: batchOverrides(chosen.settings, draft) }
          }
        : null
    );
  }, [endpoint, chosen, data, name, draft, wrongData, problems, onChange]);
  if (!endpoint) {
    return null;
  }
  const choose = (wanted: string): void => {
    setName(wanted);
    setDraft(batchDraft(endpoint.deployments.find(one => one.name === wanted)?.settings));
  };
  return (
    <div className="jp-mls-Form">
      <TextInput
        label="Data"
        value={data}
        onChange={value => {
          setTouched(true);
          setData(value);
        }}
        problem={touched ? wrongData : null}
        placeholder="data/*.csv"
        hint="A file, a folder or a pattern in this workspace, or runs:/ID/PATH for what a run left. CSV, JSON lines or Parquet."
      />
      {endpoint.deployments.length > 1 && (
        <Field label="Deployment">
          {control => (
            <select
              {...control}
              className="jp-mod-styled"
              value={name}
              onChange={event => choose(event.target.value)}
            >
              {endpoint.deployments.map(one => (
                <option key={one.name} value={one.name}>
                  {one.name} ({one.model} v{one.version})
                  {one.name === endpoint.default_deployment ? ', the default' : ''}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <details open={Object.keys(problems).length > 0 || undefined}>
        <summary>Different for this job</summary>
        <BatchFields
          draft={draft}
          problems={problems}
          set={(field, value) => setDraft(before => ({ ...before, [field]: value }))}
        />
      </details>
    </div>
  );
}
