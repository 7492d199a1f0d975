/** The form that replaces a key: what that does, and when the new one ends. */
import { type JSX, useEffect, useState } from 'react';

import { Field, type FormProps } from '../common';

export interface KeyReplacement {
  note: string;
  expires_at: string | null;
  /** How the end was chosen, so that a refusal loses nothing. */
  choice: string;
  date: string;
}

const DAY_MS = 86_400_000;
const CHOICES: readonly (readonly [value: string, text: string])[] = [
  ['never', 'never'],
  ['7', 'in 7 days'],
  ['30', 'in 30 days'],
  ['90', 'in 90 days'],
  ['date', 'at a date of yours']
];

/** When the key ends, null for never; what is wrong with it otherwise. */
export function keyEnd(
  choice: string,
  date: string,
  now: number
): { end: string | null } | { problem: string } {
  if (choice === 'never') {
    return { end: null };
  }
  const at = choice === 'date' ? Date.parse(date) : now + Number(choice) * DAY_MS;
  if (Number.isNaN(at)) {
    return { problem: 'A date and a time are needed.' };
  }
  return at > now ? { end: new Date(at).toISOString() } : { problem: 'This is in the past.' };
}

/** Asks when the new key ends; never unless told. */
export function KeyForm({ initial, onChange }: FormProps<KeyReplacement>): JSX.Element {
  const { note = '' } = initial;
  const [choice, setChoice] = useState(initial.choice ?? 'never');
  const [date, setDate] = useState(initial.date ?? '');
  const found = keyEnd(choice, date, Date.now());
  const problem = 'problem' in found ? found.problem : undefined;
  useEffect(() => {
    const read = keyEnd(choice, date, Date.now());
    onChange('end' in read ? { note, expires_at: read.end, choice, date } : null);
  }, [choice, date, note, onChange]);
  return (
    <div className="jp-mls-Form">
      <p className="jp-mls-Form-note">{note}</p>
      <Field label="The new key ends" hint="Requests with a key that ended are refused.">
        {control => (
          <select
            {...control}
            className="jp-mod-styled"
            value={choice}
            onChange={event => setChoice(event.target.value)}
          >
            {CHOICES.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      {choice === 'date' && (
        <Field
          label="Date and time"
          hint="In this computer's time zone."
          problem={date === '' ? undefined : problem}
        >
          {control => (
            <input
              {...control}
              type="datetime-local"
              className="jp-mod-styled"
              value={date}
              onChange={event => setDate(event.target.value)}
            />
          )}
        </Field>
      )}
    </div>
  );
}
