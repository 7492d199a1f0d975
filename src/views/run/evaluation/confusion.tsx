/** A confusion matrix as a table: numbers that can be read, shades that say the same, arrow keys that move. */
import { type JSX, type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';
import { colorOf, tint } from '../../../charts/palette';
import { formatPercent, grouped, plural, shortened, visible } from '../../common';
import { normalise, type Normalisation } from './measures';

const CHOICES: readonly [Normalisation, string][] = [
  ['count', 'counts'],
  ['row', 'by row (recall)'],
  ['column', 'by column (precision)'],
  ['total', 'of all']
];

/** From here on cells are small. */
const MANY = 6;

interface CellProps {
  count: number;
  share: number | null;
  /** Depth of the shade, 0 to 1. */
  depth: number;
  right: boolean;
  mode: Normalisation;
}

function cellText({ count, share, mode }: Pick<CellProps, 'count' | 'share' | 'mode'>): string {
  return mode === 'count' ? grouped(count) : formatPercent(share, 1);
}

function sentence(
  truth: string,
  predicted: string,
  count: number,
  shares: readonly (number | null)[]
): string {
  const [row, column, total] = shares.map(share => formatPercent(share, 1));
  return `True ${truth}, predicted ${predicted}: ${plural(count, 'row')}; ${row} of the true, ${column} of the predicted, ${total} of all`;
}

export interface ConfusionProps {
  labels: readonly string[];
  matrix: readonly (readonly number[])[];
  title: string;
}

/** Right answers are blue, wrong ones vermilion: told apart with every kind of colour vision, and by their place. */
export function Confusion({ labels, matrix, title }: ConfusionProps): JSX.Element {
  const [mode, setMode] = useState<Normalisation>('count');
  const [at, setAt] = useState<[number, number]>([0, 0]);
  const body = useRef<HTMLTableSectionElement>(null);
  const titleId = useId();
  const tables = useMemo(
    () => ({
      count: normalise(matrix, 'count'),
      row: normalise(matrix, 'row'),
      column: normalise(matrix, 'column'),
      total: normalise(matrix, 'total')
    }),
    [matrix]
  );
  const depths = tables[mode === 'count' ? 'row' : mode];
  const largest = Math.max(1e-12, ...depths.flat().map(share => share ?? 0));
  const [y, x] = [Math.min(at[0], labels.length - 1), Math.min(at[1], labels.length - 1)];
  const move = (event: KeyboardEvent): void => {
    const steps: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1]
    };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      const clamp = (value: number): number => Math.min(labels.length - 1, Math.max(0, value));
      const next: [number, number] = [clamp(y + step[0]), clamp(x + step[1])];
      setAt(next);
      body.current?.querySelectorAll('tr')[next[0]]?.querySelectorAll<HTMLElement>('td')[next[1]]?.focus();
    }
  };
  const shares = [tables.row[y]?.[x] ?? null, tables.column[y]?.[x] ?? null, tables.total[y]?.[x] ?? null];
  return (
    <figure className="jp-mls-Confusion" aria-labelledby={titleId}>
      <figcaption className="jp-mls-Plot-head">
        <span id={titleId} className="jp-mls-Plot-title">
          {visible(title)}
        </span>
        <span className="jp-mls-Plot-tools">
          <select
            aria-label="Numbers of the matrix"
            value={mode}
            onChange={event => setMode(event.target.value as Normalisation)}
          >
            {CHOICES.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </span>
      </figcaption>
      <div className="jp-mls-Confusion-box">
        <table
          className={labels.length > MANY ? 'jp-mod-dense' : ''}
          role="grid"
          aria-label={`${visible(title)}: rows are true classes, columns predicted ones`}
        >
          <thead>
            <tr>
              <td className="jp-mls-Confusion-corner">true ↓ predicted →</td>
              {labels.map((label, column) => (
                <th key={column} scope="col" title={visible(label)}>
                  {visible(label)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={move}>
            {matrix.map((row, line) => (
              <tr key={line}>
                <th scope="row" title={visible(labels[line] ?? '')}>
                  {visible(labels[line] ?? '')}
                </th>
                {row.map((count, column) => {
                  const depth = (depths[line]?.[column] ?? 0) / largest;
                  return (
                    <td
                      key={column}
                      role="gridcell"
                      tabIndex={line === y && column === x ? 0 : -1}
                      aria-selected={line === y && column === x}
                      onFocus={() => setAt([line, column])}
                      onClick={event => event.currentTarget.focus()}
                      className={depth > 0.55 ? 'jp-mod-deep' : ''}
                      style={{ background: tint(colorOf(line === column ? 0 : 3), 0.06 + 0.84 * depth) }}
                    >
                      {cellText({ count, share: tables[mode][line]?.[column] ?? null, mode })}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="jp-mls-Confusion-told" aria-live="polite">
        {sentence(
          shortened(visible(labels[y] ?? ''), 60),
          shortened(visible(labels[x] ?? ''), 60),
          matrix[y]?.[x] ?? 0,
          shares
        )}
      </p>
    </figure>
  );
}
