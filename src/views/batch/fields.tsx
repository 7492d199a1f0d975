/** The fields of a batch deployment's settings. */
import type { JSX } from 'react';

import { Field } from '../common';
import { TextInput } from '../models/register';
import { ACTIONS, type BatchDraft, NUMBERS } from './settings';

export function BatchFields(props: {
  draft: BatchDraft;
  problems: Readonly<Record<string, string>>;
  set: (name: string, value: string) => void;
}): JSX.Element {
  const { draft, problems, set } = props;
  return (
    <div className="jp-mls-Settings-fields">
      {NUMBERS.map(({ name, label, hint }) => (
        <TextInput
          key={name}
          label={label}
          value={draft[name] ?? ''}
          onChange={value => set(name, value)}
          problem={problems[name] ?? null}
          hint={hint}
        />
      ))}
      <Field label="Answers kept" hint="A summary is always kept.">
        {control => (
          <select
            {...control}
            className="jp-mod-styled"
            value={draft['output_action']}
            onChange={event => set('output_action', event.target.value)}
          >
            {ACTIONS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextInput
        label="File of the answers"
        value={draft['output_file_name'] ?? ''}
        onChange={value => set('output_file_name', value)}
        problem={problems['output_file_name'] ?? null}
        hint="Its ending chooses the form: .csv, .jsonl, .parquet."
      />
    </div>
  );
}
