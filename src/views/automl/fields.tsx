/** Controls of the wizard: numbers, columns of the table, several of them. */
import { type JSX, type ReactNode, useEffect, useState } from 'react';
import { Button, Field, Name, shortened, visible } from '../common';

/** A list of columns to choose from becomes a field to type in from this length on. */
const MANY = 300;

interface Control {
  id: string;
  'aria-describedby': string;
  'aria-invalid': boolean;
}

export function TextField({
  label,
  value,
  onChange,
  hint,
  problem,
  numeric,
  placeholder,
  list
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  problem?: string | undefined;
  numeric?: boolean;
  placeholder?: string;
  list?: string;
}): JSX.Element {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {props => (
        <input
          {...props}
          className="jp-mod-styled"
          value={value}
          inputMode={numeric ? 'decimal' : 'text'}
          placeholder={placeholder}
          list={list}
          autoComplete="off"
          spellCheck={false}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface ColumnProps {
  control: Control;
  names: readonly string[];
  value: string;
  none: string;
  onChange: (name: string) => void;
}

/** How many names a field that completes offers at once. */
const OFFERED = 50;

/** A field to type a column's name in; only a name that there is counts. */
function TypedColumn({ control, names, value, none, onChange }: ColumnProps): JSX.Element {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const typed = text.toLowerCase();
  const offered = names.filter(name => name.toLowerCase().includes(typed)).slice(0, OFFERED);
  return (
    <>
      <input
        {...control}
        className="jp-mod-styled"
        value={text}
        list={`${control.id}-names`}
        placeholder={none}
        autoComplete="off"
        spellCheck={false}
        onChange={event => {
          setText(event.target.value);
          if (event.target.value === '' || names.includes(event.target.value)) {
            onChange(event.target.value);
          }
        }}
        onBlur={() => setText(value)}
      />
      <datalist id={`${control.id}-names`}>
        {offered.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

/** One column: a list, or with very many columns a field that completes. */
function ColumnControl(props: ColumnProps): JSX.Element {
  const { control, names, value, none, onChange } = props;
  if (names.length > MANY) {
    return <TypedColumn {...props} />;
  }
  return (
    <select
      {...control}
      className="jp-mod-styled"
      value={value}
      onChange={event => onChange(event.target.value)}
    >
      <option value="">{none}</option>
      {names.map(name => (
        <option key={name} value={name}>
          {shortened(visible(name), 80)}
        </option>
      ))}
    </select>
  );
}

export function ColumnField({
  label,
  names,
  value,
  onChange,
  none = 'none',
  hint,
  problem
}: {
  label: string;
  names: readonly string[];
  value: string;
  onChange: (name: string) => void;
  none?: string;
  hint?: ReactNode;
  problem?: string | undefined;
}): JSX.Element {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {control => <ColumnControl {...{ control, names, value, none, onChange }} />}
    </Field>
  );
}

/** Several columns, as chips that can be removed. */
export function ColumnsField({
  label,
  names,
  values,
  onChange,
  hint,
  problem
}: {
  label: string;
  names: readonly string[];
  values: readonly string[];
  onChange: (names: string[]) => void;
  hint?: ReactNode;
  problem?: string | undefined;
}): JSX.Element {
  const others = names.filter(name => !values.includes(name));
  return (
    <Field label={label} hint={hint} problem={problem}>
      {control => (
        <div className="jp-mls-AutoML-chips">
          {values.map(name => (
            <span key={name} className="jp-mls-AutoML-chip">
              <Name text={name} />
              <Button
                minimal
                title={`Remove ${visible(name)}`}
                onClick={() => onChange(values.filter(one => one !== name))}
              >
                ×
              </Button>
            </span>
          ))}
          <ColumnControl
            control={control}
            names={others}
            value=""
            none={values.length > 0 ? 'add …' : 'none'}
            onChange={name => name && onChange([...values, name])}
          />
        </div>
      )}
    </Field>
  );
}
