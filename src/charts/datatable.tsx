import type { JSX } from 'react';
import { useMemo, useState } from 'react';

import type { ITable } from './spec';

import { formatNumber, visible } from '../text';

const PAGE_ROWS = 200;

type Cell = string | number | null;

interface ISort {
  column: number;
  down: boolean;
}

/** Orders cells: numbers by size, then texts by the alphabet, gaps last in both directions. */
export function compareCells(a: Cell, b: Cell, down: boolean): number {
  if (a === null || b === null) {
    return a === b ? 0 : a === null ? 1 : -1;
  }
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : typeof a === typeof b
        ? String(a).localeCompare(String(b), undefined, { numeric: true })
        : typeof a === 'number'
          ? -1
          : 1;
  return down ? -order : order;
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? visible(cell) : formatNumber(cell);
}

/** A table of values that sorts by any column and shows its rows in pages. */
export function DataTable({
  table,
  label,
  height
}: {
  table: ITable;
  label: string;
  height?: number;
}): JSX.Element {
  const [sort, setSort] = useState<ISort | null>(null);
  const [pages, setPages] = useState(1);
  const rows = useMemo(() => {
    if (!sort) {
      return table.rows;
    }
    return [...table.rows].sort((a, b) =>
      compareCells(a[sort.column] ?? null, b[sort.column] ?? null, sort.down)
    );
  }, [table, sort]);
  const shown = rows.slice(0, pages * PAGE_ROWS);
  const turn = (column: number): void =>
    setSort(now =>
      now?.column !== column ? { column, down: false } : now.down ? null : { column, down: true }
    );
  return (
    <div
      className="jp-mls-DataTable"
      style={height ? { height } : undefined}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table>
        <thead>
          <tr>
            {table.columns.map((column, index) => (
              <th
                key={index}
                scope="col"
                className={typeof table.rows[0]?.[index] === 'number' ? 'jp-mod-number' : ''}
                aria-sort={ariaSort(sort, index)}
              >
                <button type="button" onClick={() => turn(index)} title={visible(column)}>
                  {visible(column)}
                  <span aria-hidden="true">{sort?.column === index ? (sort.down ? ' ▾' : ' ▴') : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td
                  key={column}
                  className={typeof cell === 'number' ? 'jp-mod-number' : ''}
                  title={cell === null ? '' : visible(String(cell))}
                >
                  {cellText(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && (
        <button type="button" className="jp-mls-LinkButton" onClick={() => setPages(pages + 1)}>
          {rows.length - shown.length} more rows: show {Math.min(PAGE_ROWS, rows.length - shown.length)}
        </button>
      )}
    </div>
  );
}

function ariaSort(sort: ISort | null, column: number): 'ascending' | 'descending' | 'none' {
  return sort?.column === column ? (sort.down ? 'descending' : 'ascending') : 'none';
}
