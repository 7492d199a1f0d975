/** The jobs of a batch endpoint: how far each is, what it answered, and where the answers are. */
import type { JSX } from 'react';

import { type RunSummary, isEnded } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandButton,
  CommandLink,
  Elapsed,
  ErrorBox,
  Loading,
  MISSING,
  Name,
  Num,
  StatusBadge,
  Table,
  ThinBar,
  When,
  useResource
} from '../common';

interface Props {
  studio: StudioModel;
  name: string;
  execute: Execute;
}

function Progress({ run }: { run: RunSummary }): JSX.Element {
  const { progress } = run;
  if (!progress || progress.total === 0) {
    return <>{MISSING}</>;
  }
  const { done, total } = progress;
  return (
    <span className="jp-mls-Inline">
      {done} of {total}
      {!isEnded(run.status) && <ThinBar share={done / total} label={`${done} of ${total} mini-batches`} />}
    </span>
  );
}

function Action({ run, execute }: { run: RunSummary; execute: Execute }): JSX.Element {
  const args = { id: run.id };
  if (!isEnded(run.status)) {
    return (
      <CommandButton minimal execute={execute} command={CommandIDs.stopRun} args={args}>
        Stop
      </CommandButton>
    );
  }
  return run.status === 'Completed' ? (
    <CommandButton minimal execute={execute} command={CommandIDs.downloadAnswers} args={args}>
      Download
    </CommandButton>
  ) : (
    <CommandButton
      minimal
      execute={execute}
      command={CommandIDs.retryRun}
      args={args}
      title="Takes over what is done and scores the rest"
    >
      Go on
    </CommandButton>
  );
}

function columnsFor(execute: Execute): Column<RunSummary>[] {
  return [
    {
      id: 'name',
      title: 'Job',
      cell: run => (
        <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: run.id }}>
          <Name text={run.name} />
        </CommandLink>
      )
    },
    { id: 'status', title: 'Status', cell: run => <StatusBadge status={run.status} reason={run.reason} /> },
    { id: 'progress', title: 'Mini-batches', cell: run => <Progress run={run} /> },
    {
      id: 'answered',
      title: 'Answered',
      numeric: true,
      cell: run => <Num value={run.metrics['rows_answered']} />
    },
    { id: 'failed', title: 'Failed', numeric: true, cell: run => <Num value={run.metrics['rows_failed']} /> },
    { id: 'time', title: 'Time', numeric: true, cell: run => <Elapsed run={run} /> },
    { id: 'created', title: 'Begun', cell: run => <When at={run.created_at} /> },
    {
      id: 'actions',
      title: '',
      cell: run => (
        <span className="jp-mls-Actions">
          <Action run={run} execute={execute} />
        </span>
      )
    }
  ];
}

/** Why the newest job failed, where it did. */
function Reason({ runs }: { runs: readonly RunSummary[] }): JSX.Element | null {
  const newest = runs[0];
  return newest?.status === 'Failed' && newest.reason !== '' ? (
    <ul className="jp-mls-Reasons">
      <li>
        <Name text={newest.reason} className="jp-mls-Wrap" />
      </li>
    </ul>
  ) : null;
}

export function Jobs({ studio, name, execute }: Props): JSX.Element {
  const resource = useResource(studio.batchJobs(name));
  const { value, error } = resource;
  if (!value) {
    return error ? (
      <ErrorBox what="The jobs cannot be shown." error={error} retry={() => resource.refresh()} />
    ) : (
      <Loading what="Reading the jobs" />
    );
  }
  if (value.items.length === 0) {
    return <p className="jp-mls-quiet">Nothing scored yet. Score a data set makes the first job.</p>;
  }
  return (
    <>
      <Table label="Jobs" columns={columnsFor(execute)} rows={value.items} rowKey={run => run.id} />
      <Reason runs={value.items} />
      {value.total > value.items.length && (
        <p className="jp-mls-quiet">
          The newest {value.items.length} of {value.total}.
        </p>
      )}
    </>
  );
}
