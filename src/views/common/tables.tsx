/** Plain tables: names and values, and lists of modest length. */
import type { JSX, ReactNode } from 'react';
import type { Execute } from '../../tokens';
import { CopyButton } from './buttons';
import { visible } from './format';

/** Names and values in two columns; `copy` puts a copy button behind each text value. */
export function KeyValueTable({
  rows,
  label,
  execute,
  empty = 'None.'
}: {
  rows: readonly (readonly [string, ReactNode])[];
  label: string;
  /** Given, every text value can be copied. */
  execute?: Execute;
  empty?: string;
}): JSX.Element {
  if (rows.length === 0) {
    return <p className="jp-mls-quiet">{empty}</p>;
  }
  return (
    <table className="jp-mls-KeyValue" aria-label={label}>
      <tbody>
        {rows.map(([key, value]) => (
          <tr key={key}>
            <th scope="row" title={visible(key)}>
              {visible(key)}
            </th>
            <td>
              {typeof value === 'string' ? visible(value) : value}
              {execute && typeof value === 'string' && value !== '' && (
                <CopyButton text={value} execute={execute} title={`Copy ${visible(key)}`} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface Column<Row> {
  id: string;
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  numeric?: boolean;
}

/** A plain table for lists of modest length. */
export function Table<Row>({
  columns,
  rows,
  rowKey,
  label,
  onOpen
}: {
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  label: string;
  onOpen?: (row: Row) => void;
}): JSX.Element {
  return (
    <div className="jp-mls-TableBox">
      <table className="jp-mls-Table" aria-label={label}>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column.id} scope="col" className={column.numeric ? 'jp-mls-mod-numeric' : ''}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr
              key={rowKey(row)}
              className={onOpen ? 'jp-mls-mod-link' : ''}
              onClick={onOpen && (() => onOpen(row))}
            >
              {columns.map(column => (
                <td key={column.id} className={column.numeric ? 'jp-mls-mod-numeric' : ''}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
