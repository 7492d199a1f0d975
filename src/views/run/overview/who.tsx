import type { JSX, ReactNode } from 'react';
import type { Limits, Resources } from '../../../api/types';
import { CommandIDs } from '../../../tokens';
import {
  CommandLink,
  CopyButton,
  KeyValueTable,
  MISSING,
  Name,
  When,
  formatAbsolute,
  formatBytes,
  formatDuration,
  plural
} from '../../common';
import type { RunProps } from '../header';

/** What a run may take up, in a line. */
export function resourcesText({ cpus, memory_bytes: memory, gpus }: Resources): string {
  return [plural(cpus, 'CPU'), memory > 0 ? formatBytes(memory) : '', gpus > 0 ? plural(gpus, 'GPU') : '']
    .filter(Boolean)
    .join(', ');
}

/** When a run is stopped by itself, in a line. */
export function limitsText({ wall_time_s: time, memory_bytes: memory }: Limits): string {
  const parts = [
    time === null ? '' : `after ${formatDuration(time)}`,
    memory === null ? '' : `above ${formatBytes(memory)} of memory`
  ];
  return parts.filter(Boolean).join(' or ') || 'none';
}

function moment(at: string | null): ReactNode {
  return at ? (
    <>
      {formatAbsolute(at)}{' '}
      <span className="jp-mls-quiet">
        (<When at={at} />)
      </span>
    </>
  ) : (
    MISSING
  );
}

/** Who submitted it, when it ran, on what and within which limits. */
export function WhoWhen({ run, execute }: RunProps): JSX.Element {
  const rows: [string, ReactNode][] = [
    ['Submitted by', <Name key="user" text={run.user || MISSING} />],
    ['Submitted', moment(run.created_at)],
    ['Started', moment(run.started_at)],
    ['Ended', moment(run.ended_at)],
    ['Host', <Name key="host" text={run.origin.host ?? MISSING} />],
    ['Target', <Name key="target" text={run.target} />],
    ['Resources', resourcesText(run.spec.resources)],
    ['Limits', limitsText(run.spec.limits)],
    ['Exit code', run.exit_code === null ? MISSING : String(run.exit_code)],
    [
      'Run id',
      <span key="id" className="jp-mls-mono">
        <Name text={run.id} />
        <CopyButton text={run.id} execute={execute} title="Copy the run's id" />
      </span>
    ],
    ['Folder', <Name key="folder" text={run.folder} />]
  ];
  if (run.retry_of) {
    rows.push([
      'Again after',
      <CommandLink key="retry" execute={execute} command={CommandIDs.openRun} args={{ id: run.retry_of }}>
        <Name text={run.retry_of} />
      </CommandLink>
    ]);
  }
  return <KeyValueTable label="Who and when" rows={rows} />;
}
