/** The table of runs: only the rows in sight are drawn, however many there are. */
import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import { type JSX, type MouseEvent, memo, useCallback, useEffect, useRef } from 'react';
import type { BestRun, RunSummary } from '../../api/types';
import { colorOf } from '../../charts/palette';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandLink,
  Elapsed,
  MISSING,
  Name,
  Num,
  StatusBadge,
  ThinBar,
  When,
  pinIcon,
  useRowWindow,
  visible
} from '../common';
import { type Sort, columnTitle, columnWidth, parseColumn, sortable } from './columns';

export const ROW_HEIGHT = 28;
const HEADER_HEIGHT = 32;
const NAME_WIDTH = 220;
const CHECK_WIDTH = 34;
/** How near to the end of what is loaded the next page is asked for. */
const AHEAD = 40;

export interface GridProps {
  runs: readonly RunSummary[];
  total: number;
  columns: readonly string[];
  sort: Sort | null;
  onSort: (column: string) => void;
  selected: readonly string[];
  onSelect: (ids: string[]) => void;
  best: BestRun | null;
  onMore: () => void;
  execute: Execute;
}

export function RunsGrid(props: GridProps): JSX.Element {
  const { runs, total, columns, sort, onSort, selected, onSelect, best, onMore, execute } = props;
  const [box, first, last] = useRowWindow(runs.length, ROW_HEIGHT);
  const anchor = useRef<number | null>(null);
  useEffect(() => {
    if (last + AHEAD >= runs.length && runs.length < total) {
      onMore();
    }
  }, [last, runs.length, total, onMore]);

  const now = useRef({ runs, selected, onSelect });
  now.current = { runs, selected, onSelect };
  const toggle = useCallback((index: number, event: MouseEvent): void => {
    now.current.onSelect(toggled(now.current, index, event.shiftKey ? anchor.current : null));
    anchor.current = index;
  }, []);
  const width = CHECK_WIDTH + NAME_WIDTH + columns.reduce((sum, id) => sum + columnWidth(id), 0);
  return (
    <div className="jp-mls-Grid" ref={box} tabIndex={-1}>
      <table style={{ width }} aria-label="Runs" aria-rowcount={total + 1}>
        <colgroup>
          <col style={{ width: CHECK_WIDTH }} />
          <col style={{ width: NAME_WIDTH }} />
          {columns.map(id => (
            <col key={id} style={{ width: columnWidth(id) }} />
          ))}
        </colgroup>
        <thead style={{ height: HEADER_HEIGHT }}>
          <tr aria-rowindex={1}>
            <th scope="col" className="jp-mls-Grid-check">
              <input
                type="checkbox"
                aria-label="Select none"
                disabled={selected.length === 0}
                checked={selected.length > 0}
                onChange={() => onSelect([])}
                title={selected.length > 0 ? `Unselect ${selected.length}` : 'Nothing is selected'}
              />
            </th>
            <Header id="run.name" title="Name" sort={sort} onSort={onSort} className="jp-mls-Grid-name" />
            {columns.map(id => (
              <Header key={id} id={id} title={columnTitle(id)} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden="true" style={{ height: first * ROW_HEIGHT }} />}
          {runs.slice(first, last).map((run, offset) => (
            <GridRow
              key={run.id}
              run={run}
              index={first + offset}
              columns={columns}
              place={selected.indexOf(run.id)}
              best={best?.run_id === run.id}
              onToggle={toggle}
              execute={execute}
            />
          ))}
          {last < runs.length && (
            <tr aria-hidden="true" style={{ height: (runs.length - last) * ROW_HEIGHT }} />
          )}
        </tbody>
      </table>
      {runs.length < total && (
        <div className="jp-mls-Grid-more">
          Reading on, {runs.length} of {total} …
        </div>
      )}
    </div>
  );
}

/** The selection after a click; with an anchor, everything from there on is added. */
function toggled(
  { runs, selected }: Pick<GridProps, 'runs' | 'selected'>,
  index: number,
  anchor: number | null
): string[] {
  const id = runs[index]?.id;
  if (id === undefined) {
    return [...selected];
  }
  if (anchor !== null) {
    const range = runs.slice(Math.min(anchor, index), Math.max(anchor, index) + 1).map(run => run.id);
    return [...new Set([...selected, ...range])];
  }
  return selected.includes(id) ? selected.filter(one => one !== id) : [...selected, id];
}

function Header({
  id,
  title,
  sort,
  onSort,
  className = ''
}: {
  id: string;
  title: string;
  sort: Sort | null;
  onSort: (column: string) => void;
  className?: string;
}): JSX.Element {
  const active = sort?.column === id;
  const numeric = parseColumn(id).group === 'metrics' ? 'jp-mls-mod-numeric' : '';
  const Caret = sort?.descending ? caretDownIcon : caretUpIcon;
  return (
    <th
      scope="col"
      className={`${className} ${numeric}`}
      aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
      title={visible(title)}
    >
      {sortable(id) ? (
        <button type="button" onClick={() => onSort(id)}>
          <span>{visible(title)}</span>
          {active && <Caret.react tag="span" aria-hidden="true" />}
        </button>
      ) : (
        <span>{visible(title)}</span>
      )}
    </th>
  );
}

interface RowProps {
  run: RunSummary;
  index: number;
  columns: readonly string[];
  /** Where the run stands in the selection, -1 when it is not selected: decides its colour. */
  place: number;
  best: boolean;
  onToggle: (index: number, event: MouseEvent) => void;
  execute: Execute;
}

const GridRow = memo(
  function GridRow({ run, index, columns, place, best, onToggle, execute }: RowProps): JSX.Element {
    return (
      <tr
        aria-rowindex={index + 2}
        aria-selected={place >= 0}
        data-mls-row="run"
        data-run={run.id}
        data-status={run.status}
        data-kind={run.kind}
        style={{ height: ROW_HEIGHT }}
      >
        <td className="jp-mls-Grid-check">
          <input
            type="checkbox"
            aria-label={`Select ${visible(run.name)}`}
            checked={place >= 0}
            onClick={event => onToggle(index, event)}
            onChange={() => {}}
          />
        </td>
        <td className="jp-mls-Grid-name">
          <span
            className="jp-mls-Swatch"
            style={place >= 0 ? { background: colorOf(place) } : undefined}
            aria-hidden="true"
          />
          <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: run.id }}>
            <Name text={run.name} />
          </CommandLink>
          {best && (
            <pinIcon.react tag="span" className="jp-mls-Best" title="The best run by the primary metric" />
          )}
        </td>
        {columns.map(id => (
          <td key={id} className={parseColumn(id).group === 'metrics' ? 'jp-mls-mod-numeric' : ''}>
            <Cell run={run} id={id} />
          </td>
        ))}
      </tr>
    );
  },
  // A refreshed page holds new objects for runs that did not change.
  (a, b) =>
    a.index === b.index &&
    a.place === b.place &&
    a.best === b.best &&
    a.columns === b.columns &&
    a.onToggle === b.onToggle &&
    (a.run === b.run || JSON.stringify(a.run) === JSON.stringify(b.run))
);

function Cell({ run, id }: { run: RunSummary; id: string }): JSX.Element {
  const { group, name } = parseColumn(id);
  if (group === 'metrics') {
    return <Num value={run.metrics[name]} />;
  }
  if (group === 'params' || group === 'tags') {
    const text = run[group][name];
    return text === undefined ? <>{MISSING}</> : <Name text={text} />;
  }
  switch (name) {
    case 'status':
      return <StatusBadge status={run.status} reason={run.reason} />;
    case 'created':
      return <When at={run.created_at} />;
    case 'duration':
      return <Elapsed run={run} />;
    case 'progress':
      return run.progress && run.progress.total > 0 ? (
        <ThinBar
          share={run.progress.done / run.progress.total}
          label={`${run.progress.done} of ${run.progress.total}`}
        />
      ) : (
        <>{MISSING}</>
      );
    case 'kind':
      return <>{run.kind}</>;
    case 'user':
      return <Name text={run.user || MISSING} />;
    default:
      return <Name text={run.target || MISSING} />;
  }
}
