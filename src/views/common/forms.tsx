/** Forms that a dialog shows: a form reports its value while it is filled in, null as long as it is not complete. */
import { type JSX, type ReactNode, useEffect, useId, useState } from 'react';
import type { StudioModel } from '../../models/studio';

/** What every form body takes; `T` is the request that it makes. */
export interface FormProps<T> {
  studio: StudioModel;
  /** What is known beforehand. */
  initial: Partial<T>;
  /** Called with each change, and once at the start. */
  onChange: (value: T | null) => void;
}

/** A label, its control and what to know about it. */
export function Field({
  label,
  hint,
  problem,
  children
}: {
  label: string;
  hint?: ReactNode;
  /** Why the value cannot be taken. */
  problem?: string | undefined;
  children: (props: { id: string; 'aria-describedby': string; 'aria-invalid': boolean }) => ReactNode;
}): JSX.Element {
  const id = useId();
  return (
    <div className="jp-mls-Field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-hint`, 'aria-invalid': problem !== undefined })}
      <small id={`${id}-hint`} className={problem ? 'jp-mls-Field-problem' : 'jp-mls-Field-hint'}>
        {problem ?? hint}
      </small>
    </div>
  );
}

/** A choice of one of several words, below a label. */
export function SelectField({
  label,
  value,
  options,
  onChange,
  hint,
  problem
}: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, word: string])[];
  onChange: (value: string) => void;
  hint?: ReactNode;
  problem?: string | undefined;
}): JSX.Element {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {props => (
        <select
          {...props}
          className="jp-mod-styled"
          value={value}
          onChange={event => onChange(event.target.value)}
        >
          {options.map(([id, word]) => (
            <option key={id} value={id}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A form of one text of several lines, such as a description. */
export function TextForm({ initial, onChange }: FormProps<{ text: string }>): JSX.Element {
  const [text, setText] = useState(initial.text ?? '');
  useEffect(() => onChange({ text }), [text, onChange]);
  return (
    <Field label="Description" hint="Plain text.">
      {props => (
        <textarea
          {...props}
          className="jp-mod-styled jp-mls-TextArea"
          rows={6}
          value={text}
          onChange={event => setText(event.target.value)}
        />
      )}
    </Field>
  );
}
