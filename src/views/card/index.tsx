/** A run under its cell: live while the server knows it, the last known facts when it does not. */
import { type JSX, useMemo, useState } from 'react';
import { type Run, isEnded, isLive } from '../../api/types';
import { Sparkline } from '../../charts/sparkline';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandButton,
  CommandLink,
  Elapsed,
  Name,
  Num,
  StatusBadge,
  ThinBar,
  formatNumber,
  plural,
  shortened,
  useResource,
  useSignal,
  visible
} from '../common';
import { SYSTEM_METRIC } from '../sidebar/runrow';
import type { CardData } from './data';
import { CardEvaluation } from './evaluation';
import { CardLog } from './log';
import { Pairs } from './pairs';
import { StillCard } from './still';

interface Props {
  studio: StudioModel;
  execute: Execute;
  data: CardData;
}

const SHOWN_PARAMS = 8;
const SHOWN_METRICS = 6;

/** Finds the studio of the card's workspace; undefined while that is being looked up, null when it is not known here. */
function useHome(studio: StudioModel, workspace: string | null): StudioModel | null | undefined {
  const known = useResource(studio.workspaces);
  if (workspace === null) {
    return studio;
  }
  const info = known.value?.find(one => one.path === workspace);
  if (info) {
    return info.current ? studio : studio.elsewhere(info.id);
  }
  // A notebook may have been moved with its workspace: the run's id is then still known here.
  return known.value || known.error ? studio : undefined;
}

export function RunCardView({ studio, execute, data }: Props): JSX.Element {
  const home = useHome(studio, data.workspace);
  if (!home) {
    return <StillCard data={data} note={null} />;
  }
  return <Known studio={home} execute={execute} data={data} foreign={home !== studio} />;
}

function Known({ studio, execute, data, foreign }: Props & { foreign: boolean }): JSX.Element {
  const run = useResource(studio.run(data.runId));
  useSignal(studio.feed.connectedChanged);
  if (run.value) {
    const away = !studio.feed.connected;
    return <LiveCard studio={studio} execute={execute} run={run.value} away={away} foreign={foreign} />;
  }
  if (!run.error) {
    return <StillCard data={data} note={null} />;
  }
  const note =
    run.error.status === 404
      ? 'This workspace does not know the run: it was deleted, or belongs to another workspace. What was known when it was shown is kept here.'
      : `The server does not answer (${visible(run.error.message)}). This is what was known when the run was shown.`;
  return (
    <StillCard
      data={data}
      note={note}
      {...(run.error.status === 404 ? {} : { retry: () => run.refresh() })}
    />
  );
}

function LiveCard({
  studio,
  execute,
  run,
  away,
  foreign
}: {
  studio: StudioModel;
  execute: Execute;
  run: Run;
  away: boolean;
  /** The run belongs to another workspace than the one that commands act on. */
  foreign: boolean;
}): JSX.Element {
  const ended = isEnded(run.status);
  return (
    <article
      className="jp-mls-Card"
      aria-label={`Run ${visible(run.name)}`}
      data-run={run.id}
      data-mls-row="run"
      data-status={run.status}
      data-kind={run.kind}
    >
      {foreign ? <ForeignHead run={run} /> : <CardHead studio={studio} execute={execute} run={run} />}
      <Params run={run} />
      <div className="jp-mls-Card-body">
        <Metrics run={run} />
        {ended && <CardEvaluation studio={studio} runId={run.id} />}
      </div>
      {run.progress && !ended && run.progress.total > 0 && (
        <div className="jp-mls-Card-progress">
          <ThinBar
            share={run.progress.done / run.progress.total}
            label={`${run.progress.done} of ${run.progress.total}`}
          />
          <span>
            {run.progress.done}/{run.progress.total} {visible(run.progress.text)}
          </span>
        </div>
      )}
      {run.status === 'Failed' && run.reason && (
        <p className="jp-mls-Card-reason">{shortened(visible(run.reason), 500)}</p>
      )}
      {run.waits_for && <p className="jp-mls-quiet">Waits for {visible(run.waits_for)}</p>}
      <CardLog studio={studio} run={run} />
      {away && (
        <p className="jp-mls-Card-note">
          Disconnected from the server; this is the last that was known.{!ended && ' The run goes on.'}
        </p>
      )}
    </article>
  );
}

/** How a kind of run is stopped, and gone on with when it has ended. */
interface Ways {
  stop: string;
  again: string;
  word: string;
  title: string;
}

const AGAIN: Ways = {
  stop: CommandIDs.stopRun,
  again: CommandIDs.retryRun,
  word: 'Run again',
  title: 'Submit the same work as a new run'
};

const WAYS: Partial<Record<Run['kind'], Ways>> = {
  sweep: {
    stop: CommandIDs.stopSweep,
    again: CommandIDs.continueSweep,
    word: 'Go on …',
    title: 'Go on where it ended, in a new run'
  },
  automl: {
    stop: CommandIDs.stopAutoML,
    again: CommandIDs.continueAutoML,
    word: 'Continue 5 more minutes',
    title: 'Go on where it ended, in a new run'
  }
};

function CardHead({
  studio,
  execute,
  run
}: {
  studio: StudioModel;
  execute: Execute;
  run: Run;
}): JSX.Element {
  const args = { id: run.id };
  const ended = isEnded(run.status);
  const ways = WAYS[run.kind] ?? AGAIN;
  return (
    <header className="jp-mls-Card-head">
      <CommandLink execute={execute} command={CommandIDs.openRun} args={args}>
        <Name text={run.name} className="jp-mls-Card-name" />
      </CommandLink>
      <StatusBadge status={run.status} reason={run.reason} />
      {(ended || isLive(run.status)) && <Elapsed run={run} />}
      <span className="jp-mls-Card-from">
        experiment{' '}
        <CommandLink execute={execute} command={CommandIDs.openExperiment} args={{ id: run.experiment_id }}>
          {shortened(visible(run.experiment), 60)}
        </CommandLink>
        <Origin run={run} execute={execute} />
      </span>
      <span className="jp-mls-Card-actions">
        <CommandButton execute={execute} command={CommandIDs.openRun} args={args} title="Open the run">
          Open
        </CommandButton>
        {ended ? (
          <CommandButton execute={execute} command={ways.again} args={args} title={ways.title}>
            {ways.word}
          </CommandButton>
        ) : (
          <CommandButton
            execute={execute}
            command={ways.stop}
            args={args}
            disabled={run.status === 'CancelRequested'}
            title="Stop the run and its whole process tree"
          >
            Stop
          </CommandButton>
        )}
        {run.status === 'Completed' && <RegisterBest studio={studio} execute={execute} run={run} />}
      </span>
    </header>
  );
}

/** Status and name alone: what can be done with a run is done in its own workspace. */
function ForeignHead({ run }: { run: Run }): JSX.Element {
  return (
    <header className="jp-mls-Card-head">
      <Name text={run.name} className="jp-mls-Card-name" />
      <StatusBadge status={run.status} reason={run.reason} />
      <Elapsed run={run} />
      <span className="jp-mls-Card-from">experiment {visible(run.experiment)}, in another workspace</span>
    </header>
  );
}

/** Offers to register the run when no other run of its experiment is better. */
function RegisterBest({
  studio,
  execute,
  run
}: {
  studio: StudioModel;
  execute: Execute;
  run: Run;
}): JSX.Element | null {
  const experiments = useResource(studio.experiments);
  const experiment = experiments.value?.find(one => one.id === run.experiment_id);
  return experiment?.best_run?.run_id === run.id ? (
    <CommandButton
      primary
      execute={execute}
      command={CommandIDs.registerModel}
      args={{ runId: run.id }}
      title={`The best of its experiment by ${visible(experiment.primary_metric ?? '')}`}
    >
      Register
    </CommandButton>
  ) : null;
}

function Origin({ run, execute }: { run: Run; execute: Execute }): JSX.Element | null {
  const { notebook, cell_number: cell, cell_id: cellId, script } = run.origin;
  const path = notebook ?? script;
  if (!path) {
    return null;
  }
  return (
    <>
      {' · '}
      {notebook && cell !== null && `cell ${cell} of `}
      <CommandLink
        execute={execute}
        command={CommandIDs.openFile}
        args={{ path, ...(cellId ? { cellId } : {}) }}
        title={visible(path)}
      >
        {shortened(visible(path.split('/').pop() ?? path), 60)}
      </CommandLink>
    </>
  );
}

function Params({ run }: { run: Run }): JSX.Element | null {
  const params = Object.entries(run.params);
  return (
    <Pairs
      label="Parameters"
      pairs={params.slice(0, SHOWN_PARAMS)}
      className="jp-mls-Card-params"
      more={params.length - SHOWN_PARAMS}
    />
  );
}

function Metrics({ run }: { run: Run }): JSX.Element | null {
  const [all, setAll] = useState(false);
  const summaries = useMemo(
    () => run.summaries.filter(one => !SYSTEM_METRIC.test(one.name)),
    [run.summaries]
  );
  if (summaries.length === 0) {
    return null;
  }
  const rest = summaries.length - SHOWN_METRICS;
  return (
    <div className="jp-mls-Card-metrics" role="list" aria-label="Metrics">
      {summaries.slice(0, all ? undefined : SHOWN_METRICS).map(one => (
        <div
          key={one.name}
          role="listitem"
          title={`${visible(one.name)}: ${plural(one.count, 'point')}, from ${formatNumber(one.min)} to ${formatNumber(one.max)}`}
        >
          <span className="jp-mls-Card-key">
            <Name text={one.name} />
          </span>
          <span className="jp-mls-Card-value">
            <Num value={one.last} />
            {one.count > 1 && (
              <Sparkline values={one.sparkline} width={64} height={16} label={visible(one.name)} />
            )}
          </span>
        </div>
      ))}
      {rest > 0 && (
        <button type="button" className="jp-mls-Link" onClick={() => setAll(!all)}>
          {all ? 'fewer' : `and ${rest} more`}
        </button>
      )}
    </div>
  );
}
