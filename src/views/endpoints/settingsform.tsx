/** The form of a deployment's settings. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { Deployment } from '../../api/types';
import { Field, type FormProps } from '../common';
import { TextInput } from '../models/register';
import {
  COLLECTS,
  MASKED,
  PARTS,
  type SettingField,
  type SettingsChange,
  type SettingsDraft,
  type SettingsPart,
  keyOf,
  settingsChange,
  settingsDraft,
  settingsProblems
} from './settings';

export interface SettingsRequest {
  deployment: Deployment;
  settings: SettingsChange;
  /** What stands in the fields, so that a refusal loses nothing. */
  draft: SettingsDraft;
}

interface PartProps {
  part: SettingsPart;
  draft: SettingsDraft;
  problems: Readonly<Record<string, string>>;
  set: (key: string, value: string) => void;
}

function Fields({ part, draft, problems, set }: PartProps): JSX.Element {
  return (
    <div className="jp-mls-Settings-fields">
      {part.fields.map((one: SettingField) => {
        const key = keyOf(one);
        return (
          <TextInput
            key={key}
            label={one.label}
            value={draft[key] ?? ''}
            onChange={value => set(key, value)}
            problem={problems[key] ?? null}
            {...(one.hint === undefined ? {} : { hint: one.hint })}
          />
        );
      })}
    </div>
  );
}

function Collector({ draft, set }: Pick<PartProps, 'draft' | 'set'>): JSX.Element {
  return (
    <>
      <label className="jp-mls-Choice">
        <input
          type="checkbox"
          checked={draft[COLLECTS] === 'true'}
          onChange={event => set(COLLECTS, String(event.target.checked))}
        />
        Keep requests and answers as Parquet files
      </label>
      <Field label="Columns left out" hint="Names with commas between them; their values are not kept.">
        {control => (
          <textarea
            {...control}
            className="jp-mod-styled jp-mls-TextArea"
            rows={2}
            spellCheck={false}
            value={draft[MASKED] ?? ''}
            onChange={event => set(MASKED, event.target.value)}
          />
        )}
      </Field>
    </>
  );
}

function Part(props: PartProps): JSX.Element {
  const { part, problems } = props;
  const body = (
    <>
      {part.note && <p className="jp-mls-quiet">{part.note}</p>}
      {part.title === 'Data collector' && <Collector {...props} />}
      <Fields {...props} />
    </>
  );
  if (!part.folded) {
    return (
      <fieldset className="jp-mls-Settings-part">
        <legend>{part.title}</legend>
        {body}
      </fieldset>
    );
  }
  const wrong = part.fields.some(one => problems[keyOf(one)] !== undefined);
  return (
    <details className="jp-mls-Settings-part" open={wrong || undefined}>
      <summary>{part.title}</summary>
      {body}
    </details>
  );
}

/** All settings of a deployment; only what changes is sent. */
export function DeploymentSettingsForm({ initial, onChange }: FormProps<SettingsRequest>): JSX.Element {
  const { deployment } = initial;
  const settings = deployment?.settings;
  const [draft, setDraft] = useState<SettingsDraft>(
    () => initial.draft ?? (settings ? settingsDraft(settings) : {})
  );
  const problems = useMemo(() => settingsProblems(draft), [draft]);
  useEffect(() => {
    const change = settings && Object.keys(problems).length === 0 ? settingsChange(settings, draft) : {};
    onChange(deployment && Object.keys(change).length > 0 ? { deployment, settings: change, draft } : null);
  }, [deployment, settings, draft, problems, onChange]);
  const set = (key: string, value: string): void => setDraft(before => ({ ...before, [key]: value }));
  return (
    <div className="jp-mls-Form jp-mls-Settings">
      <p className="jp-mls-Form-note">
        New processes with these settings take over when they are ready; no request fails meanwhile.
      </p>
      {PARTS.map(part => (
        <Part key={part.title} part={part} draft={draft} problems={problems} set={set} />
      ))}
    </div>
  );
}
