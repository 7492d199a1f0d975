/** The columns of a table: what each is taken for, what is missing, examples; and the first rows. */
import { type JSX, type ReactNode, useState } from 'react';
import type { Finding, TableColumn, TablePreview } from '../../api/types';
import { Button, type Column, MISSING, Name, Table, formatPercent, grouped, visible } from '../common';
import { COLUMN_TYPES, ROLE_WORDS } from './choices';
import { SeverityMark, worst } from './findings';

/** More columns than this are shown on request. */
const FIRST = 60;
const FIRST_HEAD = 40;

/** `12 (3 %)`, quiet when there are none. */
export function Missing({ column, rows }: { column: TableColumn; rows: number }): JSX.Element {
  if (column.missing === 0) {
    return <span className="jp-mls-quiet">0</span>;
  }
  const share = column.missing / Math.max(1, rows);
  return (
    <>
      {grouped(column.missing)}{' '}
      <span className="jp-mls-quiet">{share < 0.005 ? '<1\u00a0%' : formatPercent(share)}</span>
    </>
  );
}

interface Props {
  columns: readonly TableColumn[];
  rows: number;
  findings: readonly Finding[];
  label: string;
  /** How a column is taken: a control in the wizard, a word in the run's view. */
  taken: (column: TableColumn) => ReactNode;
  /** More columns at the end. */
  more?: readonly Column<TableColumn>[];
}

/** Columns with a filter by name, the worst finding of each beside it. */
export function ColumnTable({ columns, rows, findings, label, taken, more = [] }: Props): JSX.Element {
  const [filter, setFilter] = useState('');
  const [all, setAll] = useState(false);
  const wanted = filter.trim().toLowerCase();
  const matching = wanted ? columns.filter(one => one.name.toLowerCase().includes(wanted)) : columns;
  const shown = all ? matching : matching.slice(0, FIRST);
  const byColumn = worst(findings);
  return (
    <>
      {columns.length > 20 && (
        <div className="jp-mls-Toolbar">
          <input
            type="search"
            className="jp-mls-Input"
            placeholder="Filter columns"
            aria-label="Filter columns by name"
            value={filter}
            onChange={event => setFilter(event.target.value)}
          />
          <span className="jp-mls-quiet">
            {wanted ? `${grouped(matching.length)} of ${grouped(columns.length)} columns` : null}
          </span>
        </div>
      )}
      <Table
        label={label}
        rows={shown}
        rowKey={column => column.name}
        columns={[
          {
            id: 'name',
            title: 'Column',
            cell: column => {
              const finding = byColumn.get(column.name);
              return (
                <span className="jp-mls-Inline jp-mls-AutoML-column">
                  {finding && <SeverityMark finding={finding} />}
                  <Name text={column.name} />
                </span>
              );
            }
          },
          { id: 'taken', title: 'Taken as', cell: taken },
          { id: 'type', title: 'Type', cell: column => <Name text={column.type} className="jp-mls-quiet" /> },
          {
            id: 'missing',
            title: 'Missing',
            numeric: true,
            cell: column => <Missing column={column} rows={rows} />
          },
          { id: 'distinct', title: 'Distinct', numeric: true, cell: column => grouped(column.distinct) },
          ...(more.length > 0
            ? more
            : [
                {
                  id: 'examples',
                  title: 'Examples',
                  cell: (column: TableColumn) => (
                    <Name text={column.examples.join(' · ') || MISSING} className="jp-mls-quiet" />
                  )
                }
              ])
        ]}
      />
      {shown.length < matching.length && (
        <Button minimal onClick={() => setAll(true)}>
          Show all {grouped(matching.length)} columns
        </Button>
      )}
    </>
  );
}

function same(word: string, { role }: TableColumn): boolean {
  return word === ROLE_WORDS[role] || (role === 'dropped' && word === 'leave out');
}

/** A choice of what a column is taken for; the first one is what was guessed. */
export function TypeChoice({
  column,
  value,
  onChange
}: {
  column: TableColumn;
  value: string | undefined;
  onChange: (type: string) => void;
}): JSX.Element {
  return (
    <select
      className="jp-mls-Input"
      aria-label={`What ${visible(column.name)} is taken for`}
      title={column.reason ? visible(column.reason) : undefined}
      value={value ?? ''}
      onChange={event => onChange(event.target.value)}
    >
      <option value="">{value ? 'as it looks' : (ROLE_WORDS[column.role] ?? column.role)}</option>
      {COLUMN_TYPES.filter(([type, word]) => type === value || !same(word, column)).map(([type, word]) => (
        <option key={type} value={type}>
          {word}
        </option>
      ))}
    </select>
  );
}

interface HeadRow {
  cells: readonly string[];
  number: number;
}

/** The first rows as they stand in the file. */
export function Head({ table }: { table: TablePreview }): JSX.Element {
  const columns = table.columns.slice(0, FIRST_HEAD);
  return (
    <details className="jp-mls-AutoML-head">
      <summary>
        First {table.head.length} rows
        {table.columns.length > FIRST_HEAD && ` of the first ${FIRST_HEAD} columns`}
      </summary>
      <Table
        label="First rows"
        rows={table.head.map((cells, number) => ({ cells, number }))}
        rowKey={row => String(row.number)}
        columns={columns.map((column, index) => ({
          id: column.name,
          title: <Name text={column.name} />,
          numeric: column.role === 'numeric',
          cell: (row: HeadRow) => <Name text={row.cells[index] ?? ''} />
        }))}
      />
    </details>
  );
}
