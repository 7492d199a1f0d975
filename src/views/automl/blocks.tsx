/** The wizard's blocks below the table: target and task, metric, limits. */
import type { JSX, ReactNode } from 'react';
import type { TableColumn, TablePreview } from '../../api/types';
import { SelectField, shortened, visible } from '../common';
import { METRICS, TASKS } from './choices';
import { AGGREGATES, type Draft, type Problems, withTask } from './draft';
import { ColumnField, ColumnsField, TextField } from './fields';

export interface BlockProps {
  draft: Draft;
  problems: Problems;
  set: (change: Partial<Draft>) => void;
}

export function Block({
  number,
  title,
  note,
  children
}: {
  number: number;
  title: string;
  note?: ReactNode;
  children: ReactNode;
}): JSX.Element {
  return (
    <section className="jp-mls-AutoML-block" aria-label={title}>
      <h2>
        <span className="jp-mls-AutoML-number" aria-hidden="true">
          {number}
        </span>
        {title}
        {note && <span className="jp-mls-quiet">{note}</span>}
      </h2>
      {children}
    </section>
  );
}

type Typed = 'horizon' | 'folds' | 'test' | 'minutes' | 'trials' | 'parallel' | 'memory';

/** A number of the draft, which may be left out. */
function NumberField({
  name,
  label,
  hint,
  placeholder,
  draft,
  problems,
  set
}: BlockProps & { name: Typed; label: string; hint: string; placeholder?: string }): JSX.Element {
  return (
    <TextField
      {...{ label, hint, placeholder }}
      numeric
      value={draft[name]}
      problem={problems[name]}
      onChange={text => set({ [name]: text })}
    />
  );
}

/** An example of this length may be cut off. */
const EXAMPLE_CHARACTERS = 60;

/** The class to find: one of two when they are known, else typed. */
function PositiveLabel({
  value,
  target,
  onChange
}: {
  value: string;
  target: TableColumn | undefined;
  onChange: (label: string) => void;
}): JSX.Element {
  const label = 'Positive label';
  const hint = 'Of a target with two values, the one to find.';
  const both = target?.distinct === 2 && target.examples.length === 2 ? target.examples : null;
  const whole = both?.every(one => one.length < EXAMPLE_CHARACTERS);
  if (both && whole && (value === '' || both.includes(value))) {
    return (
      <SelectField
        {...{ label, hint, value, onChange }}
        options={[['', 'the rarer one'], ...both.map(one => [one, shortened(visible(one), 80)] as const)]}
      />
    );
  }
  return <TextField {...{ label, hint, value, onChange }} placeholder="the rarer one" />;
}

/** What to predict, and the columns with a part of their own. */
export function TargetBlock({
  draft,
  problems,
  set,
  table
}: BlockProps & { table: TablePreview }): JSX.Element {
  const names = table.columns.map(column => column.name);
  const others = names.filter(name => name !== draft.target);
  const classes = draft.task === 'classification' || draft.task === 'auto';
  const target = table.columns.find(column => column.name === draft.target);
  return (
    <div className="jp-mls-AutoML-pair">
      <ColumnField
        label="Target"
        names={names}
        value={draft.target}
        none="choose …"
        hint="The column to predict."
        problem={problems.target}
        onChange={name => set({ target: name, positive: '' })}
      />
      {classes && (
        <PositiveLabel value={draft.positive} target={target} onChange={positive => set({ positive })} />
      )}
      {draft.task !== 'forecasting' && (
        <ColumnField
          label="Weight"
          names={others}
          value={draft.weight}
          hint="A column that says how much each row counts."
          onChange={weight => set({ weight })}
        />
      )}
      <ColumnsField
        label="One model for each"
        names={others}
        values={draft.partition}
        hint="A model for each value of these columns, such as store."
        problem={problems.partition}
        onChange={partition => set({ partition })}
      />
    </div>
  );
}

const AGGREGATE_WORDS = { sum: 'their sum', mean: 'their mean', min: 'the smallest', max: 'the largest' };

/** What else there is to say of a forecast: finer rows, and columns that nobody knows ahead. */
function Finer({ draft, problems, set, names }: BlockProps & { names: readonly string[] }): JSX.Element {
  return (
    <>
      <TextField
        label="Frequency"
        value={draft.frequency}
        placeholder="guessed"
        hint="How long a step is: D, W, MS, h, 15min."
        problem={problems.frequency}
        onChange={frequency => set({ frequency })}
      />
      <SelectField
        label="Rows of a step"
        value={draft.aggregate}
        options={[['', 'there is one'], ...AGGREGATES.map(one => [one, AGGREGATE_WORDS[one]] as const)]}
        hint="What becomes of several rows in one step."
        onChange={text => set({ aggregate: AGGREGATES.find(one => one === text) ?? '' })}
      />
      <ColumnsField
        label="Not known ahead"
        names={names}
        values={draft.unknown}
        hint="Columns that nobody knows for later times."
        onChange={unknown => set({ unknown })}
      />
      <SelectField
        label="Past of other columns"
        value={draft.lags ? 'auto' : ''}
        options={[
          ['', 'is not looked at'],
          ['auto', 'where it tells more']
        ]}
        hint="Earlier values that tell more than the target’s own."
        onChange={text => set({ lags: text === 'auto' })}
      />
    </>
  );
}

function Future({ draft, problems, set, table }: BlockProps & { table: TablePreview }): JSX.Element {
  const names = table.columns.map(column => column.name).filter(name => name !== draft.target);
  const others = names.filter(name => name !== draft.time && !draft.series.includes(name));
  return (
    <div className="jp-mls-AutoML-pair">
      <ColumnField
        label="Time"
        names={names}
        value={draft.time}
        none="choose …"
        hint="The column with the time of each row."
        problem={problems.time}
        onChange={time => set({ time })}
      />
      <NumberField
        {...{ draft, problems, set }}
        name="horizon"
        label="Horizon"
        hint="How many steps ahead."
      />
      <ColumnsField
        label="Series"
        names={names.filter(name => name !== draft.time)}
        values={draft.series}
        hint="Columns that tell several series apart."
        onChange={series => set({ series })}
      />
      <Finer {...{ draft, problems, set }} names={others} />
    </div>
  );
}

/** Classes, a number or the future; and what is good. */
export function TaskBlock({
  draft,
  problems,
  set,
  table
}: BlockProps & { table: TablePreview }): JSX.Element {
  return (
    <>
      <fieldset className="jp-mls-Field jp-mls-AutoML-tasks">
        <legend className="jp-mls-hidden">Task</legend>
        {TASKS.map(([task, word, hint]) => (
          <label key={task} className="jp-mls-Choice">
            <input
              type="radio"
              name="jp-mls-automl-task"
              checked={draft.task === task}
              onChange={() => set(withTask(draft, task))}
            />
            <span>
              {word} <small className="jp-mls-Field-hint">{hint}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {draft.task === 'forecasting' && <Future {...{ draft, problems, set, table }} />}
      <div className="jp-mls-AutoML-pair">
        <SelectField
          label="Metric"
          value={draft.metric}
          options={[['', 'chosen by the task'], ...METRICS[draft.task]]}
          hint="What the best model is best at."
          onChange={metric => set({ metric })}
        />
        <NumberField
          {...{ draft, problems, set }}
          name="folds"
          label="Folds"
          hint="How often each model is checked on rows that it has not seen."
          placeholder="by the number of rows"
        />
        <NumberField
          {...{ draft, problems, set }}
          name="test"
          label="Test rows"
          hint="A share such as 0.2: rows that are looked at once, at the end."
          placeholder="none"
        />
      </div>
    </>
  );
}

/** How long, how many, how much. */
export function LimitsBlock(props: BlockProps): JSX.Element {
  return (
    <div className="jp-mls-AutoML-pair">
      <NumberField {...props} name="minutes" label="Minutes" hint="It ends in time; the best so far wins." />
      <NumberField
        {...props}
        name="trials"
        label="Models at most"
        hint="How many are tried in all."
        placeholder="as many as there is time for"
      />
      <NumberField
        {...props}
        name="parallel"
        label="At the same time"
        hint="How many are tried side by side."
      />
      <NumberField
        {...props}
        name="memory"
        label="Memory in GB"
        hint="Of all of its processes."
        placeholder="what the machine has"
      />
    </div>
  );
}
