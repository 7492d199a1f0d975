/** What a profile of a version measured: latency and memory over batch sizes and threads. */
import type { JSX } from 'react';

import type { Chart, Run } from '../../api/types';
import { isEnded } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandButton,
  CommandLink,
  ErrorBox,
  Loading,
  StatusBadge,
  Table,
  When,
  formatMillis,
  formatNumber,
  useResource
} from '../common';

interface Props {
  studio: StudioModel;
  name: string;
  version: number;
  /** When the version was registered: what was measured before was a deleted one of the same number. */
  since: string;
  execute: Execute;
}

type Measured = Readonly<Record<string, number>>;

/** The rows of the table that a profile keeps, by the names of its columns. */
export function measuredRows(charts: readonly Pick<Chart, 'name' | 'data'>[]): Measured[] {
  const data = charts.find(chart => chart.name === 'profile')?.data as
    { columns?: unknown; rows?: unknown } | undefined;
  const { columns, rows } = data ?? {};
  if (!Array.isArray(columns) || !Array.isArray(rows)) {
    return [];
  }
  return rows
    .filter(row => Array.isArray(row))
    .map((row: unknown[]) => Object.fromEntries(columns.map((name, at) => [String(name), Number(row[at])])));
}

const COLUMNS: readonly Column<Measured>[] = [
  { id: 'rows', title: 'Rows', numeric: true, cell: one => formatNumber(one['rows']) },
  { id: 'threads', title: 'Threads', numeric: true, cell: one => formatNumber(one['threads']) },
  { id: 'median', title: 'Median', numeric: true, cell: one => formatMillis(one['median_ms']) },
  { id: 'p95', title: 'p95', numeric: true, cell: one => formatMillis(one['p95_ms']) },
  {
    id: 'rate',
    title: 'Rows/s',
    numeric: true,
    cell: one => formatNumber(Math.round(one['rows_per_s'] ?? 0))
  },
  {
    id: 'memory',
    title: 'Memory, MB',
    numeric: true,
    cell: one => formatNumber(Math.round(one['memory_mb'] ?? 0))
  }
];

const SUGGESTED: readonly (readonly [metric: string, text: string])[] = [
  ['suggested/threads', 'threads'],
  ['suggested/request_timeout_ms', 'ms of timeout'],
  ['suggested/memory_mb', 'MB of memory']
];

/** `1 threads, 1000 ms of timeout, 512 MB of memory` as the run suggests, empty without. */
export function suggestionText(metrics: Run['metrics']): string {
  return SUGGESTED.filter(([metric]) => metrics[metric] !== undefined)
    .map(([metric, text]) => `${formatNumber(metrics[metric])} ${text}`)
    .join(', ');
}

function Numbers({ studio, run }: { studio: StudioModel; run: Pick<Run, 'id' | 'metrics'> }): JSX.Element {
  const { value, error } = useResource(studio.charts(run.id));
  const rows = measuredRows(value ?? []);
  if (error && !value) {
    return <ErrorBox what="The numbers cannot be shown." error={error} />;
  }
  if (!value) {
    return <Loading what="Reading the numbers" />;
  }
  const suggestion = suggestionText(run.metrics);
  return (
    <>
      <Table
        label="Profile"
        columns={COLUMNS}
        rows={rows}
        rowKey={one => `${one['rows']} ${one['threads']}`}
      />
      {suggestion !== '' && <p className="jp-mls-quiet">Limits to start a deployment with: {suggestion}.</p>}
    </>
  );
}

/** The newest profile of the version, and a way to make one. */
export function ProfileView({ studio, name, version, since, execute }: Props): JSX.Element {
  const resource = useResource(studio.profiles(name, version));
  const run = resource.value?.find(one => Date.parse(one.created_at) >= Date.parse(since));
  return (
    <>
      {resource.error && !resource.value && (
        <ErrorBox
          what="The profile cannot be shown."
          error={resource.error}
          retry={() => resource.refresh()}
        />
      )}
      {run && (
        <p className="jp-mls-Inline">
          <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: run.id, tab: 'logs' }}>
            Measured
          </CommandLink>{' '}
          <When at={run.created_at} /> <StatusBadge status={run.status} reason={run.reason} />
        </p>
      )}
      {run?.status === 'Completed' && <Numbers studio={studio} run={run} />}
      {resource.value && !run && (
        <p className="jp-mls-quiet">
          A profile measures latency and memory over batch sizes and threads, on this machine.
        </p>
      )}
      <CommandButton
        execute={execute}
        command={CommandIDs.profileVersion}
        args={{ name, version }}
        disabled={run !== undefined && !isEnded(run.status)}
      >
        {run ? 'Profile again' : 'Profile'}
      </CommandButton>
    </>
  );
}
