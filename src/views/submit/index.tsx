/** The form that submits a script or a notebook as a run. */
import { type JSX, useEffect, useMemo, useState } from 'react';
import type { NewRun } from '../../api/types';
import { Field, type FormProps, useResource } from '../common';
import { readParams, splitArgs } from './params';

interface Fields {
  name: string;
  experiment: string;
  params: string;
  args: string;
  minutes: string;
}

/** Makes the request, or says which field cannot be taken. */
function request(
  initial: Partial<NewRun>,
  fields: Fields
): { value: NewRun | null; problem: string | undefined } {
  const { params, problem } = readParams(fields.params);
  const minutes = fields.minutes.trim() === '' ? null : Number(fields.minutes);
  if (problem !== undefined || !initial.kind || (minutes !== null && !(minutes > 0))) {
    return { value: null, problem };
  }
  const spec = {
    ...initial.spec,
    params,
    ...(fields.args.trim() ? { args: splitArgs(fields.args) } : {}),
    ...(minutes === null ? {} : { limits: { wall_time_s: minutes * 60, memory_bytes: null } })
  };
  return {
    value: {
      ...initial,
      kind: initial.kind,
      spec,
      ...(fields.name.trim() ? { name: fields.name.trim() } : {}),
      ...(fields.experiment.trim() ? { experiment: fields.experiment.trim() } : {})
    },
    problem
  };
}

function written(initial: Partial<NewRun>): Fields {
  const { spec } = initial;
  return {
    name: initial.name ?? '',
    experiment: initial.experiment ?? '',
    params: Object.entries(spec?.params ?? {})
      .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
      .join('\n'),
    args: (spec?.args ?? []).join(' '),
    minutes: spec?.limits?.wall_time_s ? String(spec.limits.wall_time_s / 60) : ''
  };
}

export function SubmitForm({ studio, initial, onChange }: FormProps<NewRun>): JSX.Element {
  const experiments = useResource(studio.experiments);
  const [fields, setFields] = useState(() => written(initial));
  const { value, problem } = useMemo(() => request(initial, fields), [initial, fields]);
  useEffect(() => onChange(value), [value, onChange]);
  const text = (
    field: keyof Fields
  ): { value: string; onChange: (event: { target: { value: string } }) => void } => ({
    value: fields[field],
    onChange: event => setFields({ ...fields, [field]: event.target.value })
  });
  const script = initial.kind === 'script';
  return (
    <div className="jp-mls-Form">
      <Field label="Name" hint="Empty: one is made up.">
        {props => <input {...props} {...text('name')} className="jp-mod-styled" autoComplete="off" />}
      </Field>
      <Field label="Experiment" hint="A new name makes a new experiment.">
        {props => (
          <>
            <input
              {...props}
              {...text('experiment')}
              className="jp-mod-styled"
              list="jp-mls-experiments"
              placeholder="Default"
            />
            <datalist id="jp-mls-experiments">
              {experiments.value?.map(one => (
                <option key={one.id} value={one.name} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field
        label="Parameters"
        problem={problem}
        hint={
          script
            ? 'One a line, such as lr = 0.1; each is passed as --lr 0.1.'
            : 'One a line, such as year = 2025; they replace those of the cell tagged parameters.'
        }
      >
        {props => (
          <textarea
            {...props}
            {...text('params')}
            className="jp-mod-styled jp-mls-TextArea"
            rows={4}
            spellCheck={false}
          />
        )}
      </Field>
      {script && (
        <Field label="More arguments" hint="Passed as they are, after the parameters.">
          {props => (
            <input
              {...props}
              {...text('args')}
              className="jp-mod-styled"
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
      )}
      <Field label="Time limit in minutes" hint="Empty: none.">
        {props => (
          <input {...props} {...text('minutes')} className="jp-mod-styled" type="number" min={0} step="any" />
        )}
      </Field>
    </div>
  );
}
