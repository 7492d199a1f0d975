/** Short forms: a few questions, each with what is wrong with its answer. */
import { type ComponentType, type JSX, useEffect, useState } from 'react';
import { Field, type FormProps } from '../common/forms';

/** Answers by the names of their questions, as they were typed. */
export type Replies = Record<string, string>;

export interface Question {
  name: string;
  label: string;
  /** A line unless told. */
  kind?: 'line' | 'lines' | 'choice';
  choices?: readonly string[];
  hint?: string;
  placeholder?: string;
  /** Says why an answer cannot be taken. */
  problem?: (reply: string) => string | null;
  /** Whether it is asked at all, given the other answers. */
  when?: (replies: Replies) => boolean;
}

/** A question that asks for a reason; `needed` says whether it may stay empty. */
export function reasonQuestion(needed: boolean, hint: string): Question {
  return {
    name: 'reason',
    label: needed ? 'Reason' : 'Reason (optional)',
    kind: 'lines',
    hint,
    problem: reply => (needed && reply.trim() === '' ? 'A reason is needed; the journal keeps it.' : null)
  };
}

/** The answers to the questions that are asked, or null while one of them cannot be taken. */
export function complete(questions: readonly Question[], replies: Replies): Replies | null {
  const asked = questions.filter(one => one.when?.(replies) ?? true);
  return asked.every(one => !one.problem?.(replies[one.name] ?? ''))
    ? Object.fromEntries(asked.map(one => [one.name, (replies[one.name] ?? '').trim()]))
    : null;
}

function Control({
  question: { kind, choices, placeholder },
  control,
  value,
  onChange
}: {
  question: Question;
  control: { id: string };
  value: string;
  onChange: (value: string) => void;
}): JSX.Element {
  if (kind === 'choice') {
    return (
      <select
        {...control}
        className="jp-mod-styled"
        value={value}
        onChange={event => onChange(event.target.value)}
      >
        {choices?.map(choice => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  }
  return kind === 'lines' ? (
    <textarea
      {...control}
      className="jp-mod-styled jp-mls-TextArea"
      rows={3}
      value={value}
      placeholder={placeholder}
      onChange={event => onChange(event.target.value)}
    />
  ) : (
    <input
      {...control}
      className="jp-mod-styled"
      value={value}
      placeholder={placeholder}
      spellCheck={false}
      autoComplete="off"
      onChange={event => onChange(event.target.value)}
    />
  );
}

/** A form of these questions, under a sentence that says what will happen. */
export function questionForm(questions: readonly Question[], note = ''): ComponentType<FormProps<Replies>> {
  return function Questions({ initial, onChange }: FormProps<Replies>): JSX.Element {
    const [replies, setReplies] = useState<Replies>(() => ({ ...(initial as Replies) }));
    const [touched, touch] = useState<Record<string, boolean>>({});
    useEffect(() => onChange(complete(questions, replies)), [replies, onChange]);
    return (
      <div className="jp-mls-Form">
        {note !== '' && <p className="jp-mls-Form-note">{note}</p>}
        {questions
          .filter(one => one.when?.(replies) ?? true)
          .map(one => {
            const value = replies[one.name] ?? '';
            const problem = touched[one.name] ? (one.problem?.(value) ?? undefined) : undefined;
            return (
              <Field key={one.name} label={one.label} hint={one.hint} problem={problem}>
                {control => (
                  <Control
                    question={one}
                    control={control}
                    value={value}
                    onChange={next => {
                      touch(before => ({ ...before, [one.name]: true }));
                      setReplies(before => ({ ...before, [one.name]: next }));
                    }}
                  />
                )}
              </Field>
            );
          })}
      </div>
    );
  };
}
