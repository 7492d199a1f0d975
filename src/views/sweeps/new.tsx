/** The form that makes a sweep of a run: which parameters to vary, how, and what is to become better. */
import { type JSX, useEffect, useMemo, useState } from 'react';
import type { NewSweep, Run } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import {
  ErrorBox,
  Field,
  type FormProps,
  Loading,
  Name,
  formatNumber,
  useResource,
  visible,
  SelectField
} from '../common';
import { POLICIES, type Row, SAMPLERS, type SweepFields, firstFields, sweepRequest } from './request';

/** What the dialog keeps: the run, and after a refusal what was filled in. */
export interface SweepDraft {
  runId: string;
  fields?: SweepFields;
  request: NewSweep;
}

export function SweepForm(props: FormProps<SweepDraft>): JSX.Element {
  const { studio, initial, onChange } = props;
  const run = useResource(studio.run(initial.runId!));
  const experiments = useResource(studio.experiments);
  useEffect(() => {
    if (!run.value) {
      onChange(null);
    }
  }, [run.value, onChange]);
  if (run.value && (experiments.value || experiments.error)) {
    const experiment = experiments.value?.find(one => one.id === run.value?.experiment_id);
    const first =
      initial.fields ?? firstFields(run.value, experiment?.primary_metric ?? null, experiment?.goal ?? null);
    return <FieldsOfSweep {...props} run={run.value} first={first} />;
  }
  return run.error ? (
    <ErrorBox what="The run cannot be read" error={run.error} retry={() => run.refresh()} />
  ) : (
    <Loading what="Reading the run" />
  );
}

function ParamRow({
  row,
  problem,
  onChange
}: {
  row: Row;
  problem: string | undefined;
  onChange: (row: Row) => void;
}): JSX.Element {
  const name = visible(row.name);
  return (
    <div className="jp-mls-SweepForm-row">
      <label className="jp-mls-Choice">
        <input
          type="checkbox"
          checked={row.vary}
          onChange={event => onChange({ ...row, vary: event.target.checked })}
        />
        <Name text={row.name} />
      </label>
      <input
        className="jp-mod-styled jp-mls-mod-code"
        aria-label={`How ${name} is varied`}
        aria-invalid={problem !== undefined}
        value={
          row.vary ? row.text : typeof row.value === 'number' ? formatNumber(row.value) : String(row.value)
        }
        disabled={!row.vary}
        spellCheck={false}
        autoComplete="off"
        onChange={event => onChange({ ...row, text: event.target.value })}
      />
      {problem && <small className="jp-mls-Field-problem">{problem}</small>}
    </div>
  );
}

function FieldsOfSweep({
  run,
  first,
  onChange
}: {
  studio: StudioModel;
  run: Run;
  first: SweepFields;
  onChange: (draft: SweepDraft | null) => void;
}): JSX.Element {
  const [fields, setFields] = useState(first);
  const { value, problems } = useMemo(() => sweepRequest(run, fields), [run, fields]);
  useEffect(
    () => onChange(value && { runId: run.id, fields, request: value }),
    [value, run.id, fields, onChange]
  );
  const set = (change: Partial<SweepFields>): void => setFields(before => ({ ...before, ...change }));
  const metrics = Object.keys(run.metrics).filter(name => !name.startsWith('system/'));
  const input = (name: 'trials' | 'parallel' | 'name', label: string, hint: string): JSX.Element => (
    <Field label={label} hint={hint} problem={problems[name]}>
      {props => (
        <input
          {...props}
          className="jp-mod-styled"
          value={fields[name]}
          autoComplete="off"
          inputMode={name === 'name' ? 'text' : 'numeric'}
          onChange={event => set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <div className="jp-mls-Form jp-mls-SweepForm">
      {input('name', 'Name', 'Empty: one is made up.')}
      <fieldset className="jp-mls-Field">
        <legend>Parameters to vary</legend>
        {fields.rows.map((row, index) => (
          <ParamRow
            key={row.name}
            row={row}
            problem={problems[`param ${row.name}`]}
            onChange={changed => set({ rows: fields.rows.map((one, at) => (at === index ? changed : one)) })}
          />
        ))}
        <small className={problems['space'] ? 'jp-mls-Field-problem' : 'jp-mls-Field-hint'}>
          {problems['space'] ??
            'float(0,1), float(1e-5,0.1,log), int(2,12), choice(relu,tanh), uniform, loguniform, normal, …'}
        </small>
      </fieldset>
      <Field
        label={fields.rows.length > 0 ? 'More parameters' : 'Parameters'}
        hint="One a line, such as depth = int(2,12)."
        problem={problems['more']}
      >
        {props => (
          <textarea
            {...props}
            className="jp-mod-styled jp-mls-TextArea"
            rows={fields.rows.length > 0 ? 1 : 4}
            spellCheck={false}
            value={fields.more}
            onChange={event => set({ more: event.target.value })}
          />
        )}
      </Field>
      <div className="jp-mls-SweepForm-pair">
        <Field label="Metric" hint="Logged, or printed as name=number." problem={problems['metric']}>
          {props => (
            <>
              <input
                {...props}
                className="jp-mod-styled"
                value={fields.metric}
                list="jp-mls-sweep-metrics"
                autoComplete="off"
                spellCheck={false}
                onChange={event => set({ metric: event.target.value })}
              />
              <datalist id="jp-mls-sweep-metrics">
                {metrics.map(name => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <SelectField
          label="Goal"
          value={fields.goal}
          options={[
            ['maximize', 'as large as possible'],
            ['minimize', 'as small as possible']
          ]}
          onChange={goal => set({ goal: goal === 'minimize' ? 'minimize' : 'maximize' })}
        />
        {input('trials', 'Trials', 'How many are tried in all.')}
        {input('parallel', 'At the same time', 'How many run side by side.')}
        <SelectField
          label="Chosen by"
          value={fields.sampler}
          options={SAMPLERS}
          onChange={sampler => set({ sampler })}
        />
        <SelectField
          label="Ended early by"
          value={fields.policy}
          options={POLICIES}
          onChange={policy => set({ policy })}
        />
      </div>
    </div>
  );
}
