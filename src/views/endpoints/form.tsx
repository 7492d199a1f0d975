/** Cells for the features of a few rows. */
import { closeIcon } from '@jupyterlab/ui-components';
import { type JSX, useId } from 'react';

import { Button, Name } from '../common';
import { type CellError, type Column, isFloat } from '../models/tensors';

/** More features than this stand in a compact grid, one line each. */
const MOST_FIELDS = 12;

export interface RowsFormProps {
  columns: readonly Column[];
  rows: readonly (readonly string[])[];
  errors: readonly CellError[];
  onChange: (rows: string[][]) => void;
}

interface CellProps {
  column: Column;
  row: number;
  value: string;
  problem: string | undefined;
  onChange: (value: string) => void;
}

function inputMode(datatype: string): 'decimal' | 'numeric' | 'text' {
  if (isFloat(datatype)) {
    return 'decimal';
  }
  return datatype === 'BYTES' ? 'text' : 'numeric';
}

function Cell({ column, row, value, problem, onChange }: CellProps): JSX.Element {
  const label = `${column.label}, row ${row + 1}`;
  const choices = useId();
  if (column.datatype === 'BOOL') {
    return (
      <select
        className="jp-mls-Cell"
        aria-label={label}
        value={value.toLowerCase()}
        aria-invalid={problem !== undefined || undefined}
        onChange={event => onChange(event.target.value)}
      >
        {!/^(true|false)$/i.test(value) && <option value={value.toLowerCase()}>-</option>}
        <option value="true">true</option>
        <option value="false">false</option>
      </select>
    );
  }
  return (
    <>
      <input
        className="jp-mls-Cell"
        aria-label={label}
        inputMode={inputMode(column.datatype)}
        spellCheck={false}
        list={column.choices.length > 0 ? choices : undefined}
        value={value}
        title={problem ?? column.datatype}
        aria-invalid={problem !== undefined || undefined}
        onChange={event => onChange(event.target.value)}
      />
      {column.choices.length > 0 && (
        <datalist id={choices}>
          {column.choices.map(one => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </>
  );
}

/** The rows as fields with labels (a few features) or as a grid with a line for each feature (many). */
export function RowsForm(props: RowsFormProps): JSX.Element {
  const { columns, rows, errors, onChange } = props;
  const set = (row: number, column: number, value: string): void =>
    onChange(
      rows.map((cells, at) => cells.map((cell, index) => (at === row && index === column ? value : cell)))
    );
  const cell = (row: number, index: number): JSX.Element => (
    <Cell
      column={columns[index]!}
      row={row}
      value={rows[row]?.[index] ?? ''}
      problem={errors.find(error => error.row === row && error.column === index)?.message}
      onChange={value => set(row, index, value)}
    />
  );
  const remove = (row: number): JSX.Element | null =>
    rows.length > 1 ? (
      <Button
        minimal
        icon={closeIcon}
        title={`Remove row ${row + 1}`}
        onClick={() => onChange(rows.filter((_, at) => at !== row).map(cells => [...cells]))}
      />
    ) : null;
  const Layout = columns.length > MOST_FIELDS ? Grid : Fields;
  return (
    <>
      <Layout columns={columns} rows={rows} cell={cell} remove={remove} />
      <Button
        minimal
        onClick={() => onChange([...rows, [...(rows.at(-1) ?? columns.map(() => ''))]].map(row => [...row]))}
      >
        + row
      </Button>
    </>
  );
}

interface LayoutProps extends Pick<RowsFormProps, 'columns' | 'rows'> {
  cell: (row: number, column: number) => JSX.Element;
  remove: (row: number) => JSX.Element | null;
}

function Fields({ columns, rows, cell, remove }: LayoutProps): JSX.Element {
  return (
    <>
      {rows.map((_, row) => (
        <fieldset key={row} className="jp-mls-RowFields">
          <legend>
            Row {row + 1} {remove(row)}
          </legend>
          {columns.map((column, index) => (
            <label key={column.label}>
              <Name text={column.label} />
              {cell(row, index)}
            </label>
          ))}
        </fieldset>
      ))}
    </>
  );
}

function Grid({ columns, rows, cell, remove }: LayoutProps): JSX.Element {
  return (
    <div className="jp-mls-TableBox jp-mls-RowGrid">
      <table className="jp-mls-Table" aria-label="Rows to score">
        <thead>
          <tr>
            <th scope="col">Feature</th>
            {rows.map((_, row) => (
              <th key={row} scope="col">
                Row {row + 1} {remove(row)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map((column, index) => (
            <tr key={column.label}>
              <th scope="row">
                <Name text={column.label} />
              </th>
              {rows.map((_, row) => (
                <td key={row}>{cell(row, index)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
