/** The table of trials: only the rows in sight are drawn, sorted and filtered here. */
import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import { type JSX, memo, useEffect, useMemo, useState } from 'react';
import { type Trial, isEnded } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Button,
  CommandButton,
  CommandLink,
  EmptyState,
  MISSING,
  Name,
  Num,
  StatusBadge,
  type Status,
  formatDuration,
  grouped,
  pinIcon,
  plural,
  shortened,
  useRowWindow,
  visible
} from '../common';
import { wordOfState, words } from './figures';
import type { SweepProps } from './head';
import { useHovered } from './hovered';
import { type Brushes, brushed, lanesOf } from './lanes';
import { type ParamAxis, type Study, isStopped, valueOf, wordOf } from './study';

const ROW_HEIGHT = 28;

export interface Sort {
  column: string;
  descending: boolean;
}

const STATUS: Record<Trial['state'], Status> = {
  WAITING: 'Queued',
  RUNNING: 'Running',
  COMPLETE: 'Completed',
  PRUNED: 'Canceled',
  FAIL: 'Failed'
};

/** How long a trial took, in seconds; that of a live one is not over. */
export function durationOf(trial: Trial): number | null {
  return trial.started_at && trial.ended_at
    ? (Date.parse(trial.ended_at) - Date.parse(trial.started_at)) / 1000
    : null;
}

type Key = number | string | null;

function keyOf(study: Study, column: string): (trial: Trial) => Key {
  const [kind, name = ''] = [column.slice(0, 2), column.slice(2)];
  if (kind === 'o ') {
    return trial => valueOf(trial, Number(name));
  }
  if (kind === 'p ') {
    return trial => {
      const value = trial.params[name];
      return value === undefined ? null : typeof value === 'number' ? value : wordOf(value);
    };
  }
  const fixed: Record<string, (trial: Trial) => Key> = {
    state: wordOfState,
    duration: durationOf,
    reason: trial => trial.reason || null
  };
  return fixed[column] ?? (trial => trial.number);
}

/** Trials in order; what has no value comes last either way. */
export function sortedTrials(study: Study, trials: readonly Trial[], sort: Sort): Trial[] {
  const key = keyOf(study, sort.column);
  const sign = sort.descending ? -1 : 1;
  return trials
    .map(trial => ({ trial, key: key(trial) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) {
        return a.key === b.key ? a.trial.number - b.trial.number : a.key === null ? 1 : -1;
      }
      const order =
        typeof a.key === 'number' && typeof b.key === 'number'
          ? a.key - b.key
          : String(a.key).localeCompare(String(b.key), undefined, { numeric: true });
      return sign * order || a.trial.number - b.trial.number;
    })
    .map(one => one.trial);
}

interface Column {
  id: string;
  title: string;
  width: number;
  numeric: boolean;
}

function columnsOf(study: Study): Column[] {
  return [
    { id: 'number', title: 'Trial', width: 84, numeric: false },
    { id: 'state', title: 'State', width: 132, numeric: false },
    ...study.objectives.map((one, k) => ({
      id: `o ${k}`,
      title: one.primary_metric,
      width: 110,
      numeric: true
    })),
    ...study.params.map(axis => ({
      id: `p ${axis.name}`,
      title: axis.name,
      width: 118,
      numeric: axis.words === null
    })),
    { id: 'duration', title: 'Duration', width: 96, numeric: true },
    { id: 'reason', title: 'Reason', width: 300, numeric: false }
  ];
}

interface TrialsProps extends SweepProps {
  study: Study;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
}

export function TrialsTab(props: TrialsProps): JSX.Element {
  const { study, brushes, onBrush, run, execute } = props;
  const [sort, setSort] = useState<Sort>({ column: 'number', descending: true });
  const [state, setState] = useState('');
  const lanes = useMemo(() => lanesOf(study), [study]);
  const chosen = useMemo(() => brushed(study, lanes, brushes), [study, lanes, brushes]);
  const shown = useMemo(
    () =>
      sortedTrials(
        study,
        study.trials.filter(
          trial =>
            (state === '' || wordOfState(trial) === state) && (chosen === null || chosen.has(trial.number))
        ),
        sort
      ),
    [study, state, chosen, sort]
  );
  const columns = useMemo(() => columnsOf(study), [study]);
  const [box, first, last] = useRowWindow(shown.length, ROW_HEIGHT);
  const [hovered, setHovered] = useHovered();
  useEffect(() => () => setHovered(null), []); // eslint-disable-line react-hooks/exhaustive-deps -- only when it goes
  const turn = (column: string): void =>
    setSort(now => ({ column, descending: now.column === column ? !now.descending : column !== 'state' }));
  if (study.trials.length === 0) {
    return (
      <EmptyState>
        {isEnded(run.status)
          ? 'There was no trial.'
          : 'The trials are listed here as soon as the first one begins.'}
      </EmptyState>
    );
  }
  return (
    <div className="jp-mls-Trials">
      <div className="jp-mls-Toolbar">
        <span role="status">
          {plural(shown.length, 'trial')}
          {shown.length < study.trials.length && ` of ${grouped(study.trials.length)}`}
        </span>
        <select
          className="jp-mod-styled"
          aria-label="State"
          value={state}
          onChange={event => setState(event.target.value)}
        >
          <option value="">any state</option>
          {[...Object.values(words), 'stopped'].map(word => (
            <option key={word} value={word}>
              {word}
            </option>
          ))}
        </select>
        {chosen && (
          <Button minimal onClick={() => onBrush({})} title="Chosen in the parallel coordinates">
            Show all, not only the chosen
          </Button>
        )}
      </div>
      <div className="jp-mls-Grid" ref={box} tabIndex={-1} onMouseLeave={() => setHovered(null)}>
        <table
          style={{ width: `max(100%, ${columns.reduce((sum, one) => sum + one.width, 0)}px)` }}
          aria-label="Trials"
          aria-rowcount={shown.length + 1}
        >
          <colgroup>
            {columns.map(one => (
              <col key={one.id} style={one.id === 'reason' ? undefined : { width: one.width }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map(one => (
                <Header key={one.id} column={one} sort={sort} onSort={turn} />
              ))}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <tr aria-hidden="true" style={{ height: first * ROW_HEIGHT }} />}
            {shown.slice(first, last).map((trial, offset) => (
              <TrialRow
                key={trial.number}
                trial={trial}
                index={first + offset}
                objectives={study.objectives.length}
                params={study.params}
                best={study.best === trial.number && study.objectives.length === 1}
                front={study.objectives.length > 1 && study.front.has(trial.number)}
                lit={hovered === trial.number}
                live={!isEnded(run.status)}
                sweepId={run.id}
                onHover={setHovered}
                execute={execute}
              />
            ))}
            {last < shown.length && (
              <tr aria-hidden="true" style={{ height: (shown.length - last) * ROW_HEIGHT }} />
            )}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Header({
  column,
  sort,
  onSort
}: {
  column: Column;
  sort: Sort;
  onSort: (column: string) => void;
}): JSX.Element {
  const active = sort.column === column.id;
  const Caret = sort.descending ? caretDownIcon : caretUpIcon;
  return (
    <th
      scope="col"
      className={column.numeric ? 'jp-mls-mod-numeric' : ''}
      aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
      title={visible(column.title)}
    >
      <button type="button" onClick={() => onSort(column.id)}>
        <span>{shortened(visible(column.title), 40)}</span>
        {active && <Caret.react tag="span" aria-hidden="true" />}
      </button>
    </th>
  );
}

interface RowProps {
  trial: Trial;
  index: number;
  objectives: number;
  params: readonly ParamAxis[];
  best: boolean;
  front: boolean;
  lit: boolean;
  live: boolean;
  sweepId: string;
  onHover: (trial: number) => void;
  execute: Execute;
}

function Value({ value }: { value: unknown }): JSX.Element {
  if (value === undefined) {
    return <>{MISSING}</>;
  }
  return typeof value === 'number' ? <Num value={value} /> : <Name text={wordOf(value)} />;
}

const TrialRow = memo(
  function TrialRow(props: RowProps): JSX.Element {
    const { trial, params, execute } = props;
    const stopped = isStopped(trial);
    return (
      <tr
        aria-rowindex={props.index + 2}
        className={props.lit ? 'jp-mls-mod-lit' : ''}
        data-trial={trial.number}
        style={{ height: ROW_HEIGHT }}
        onMouseEnter={() => props.onHover(trial.number)}
      >
        <td>
          <CommandLink
            execute={execute}
            command={CommandIDs.openRun}
            args={{ id: trial.run_id }}
            title="Open the run of this trial"
          >
            {trial.number}
          </CommandLink>
          {(props.best || props.front) && (
            <pinIcon.react
              tag="span"
              className="jp-mls-Best"
              title={props.best ? 'The best trial' : 'On the Pareto front'}
            />
          )}
        </td>
        <td>
          <StatusBadge
            status={stopped ? 'Canceled' : STATUS[trial.state]}
            reason={trial.reason || undefined}
            word={false}
          />{' '}
          {wordOfState(trial)}
          {!trial.feasible && trial.state === 'COMPLETE' && (
            <span className="jp-mls-quiet" title="A constraint does not hold">
              {' '}
              unfit
            </span>
          )}
          {props.live && trial.state === 'RUNNING' && (
            <CommandButton
              minimal
              className="jp-mls-Trials-stop"
              execute={execute}
              command={CommandIDs.stopTrial}
              args={{ id: props.sweepId, number: trial.number }}
              title={`Stop trial ${trial.number}; the sweep goes on`}
            >
              Stop
            </CommandButton>
          )}
        </td>
        {Array.from({ length: props.objectives }, (_, k) => (
          <td key={k} className="jp-mls-mod-numeric">
            {k === 0 && trial.state !== 'COMPLETE' && trial.steps.length > 0 ? (
              <span className="jp-mls-quiet" title="The last value that it reported">
                <Num value={trial.steps.at(-1)?.[1]} />
              </span>
            ) : (
              <Num value={trial.values[k]} />
            )}
          </td>
        ))}
        {params.map(axis => (
          <td key={axis.name} className={axis.words === null ? 'jp-mls-mod-numeric' : ''}>
            <Value value={trial.params[axis.name]} />
          </td>
        ))}
        <td className="jp-mls-mod-numeric">{formatDuration(durationOf(trial))}</td>
        <td>{trial.reason ? <Name text={trial.reason} /> : ''}</td>
      </tr>
    );
  },
  (a, b) =>
    a.trial === b.trial &&
    a.index === b.index &&
    a.best === b.best &&
    a.front === b.front &&
    a.lit === b.lit &&
    a.live === b.live &&
    a.params === b.params
);
