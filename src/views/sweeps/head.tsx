/** The head of a sweep: how far it is, what is best so far, and what can be done. */
import type { JSX } from 'react';
import { type Sweep, type Trial, isEnded, isWaiting } from '../../api/types';
import { doneOf } from '../../models/sweeps';
import { CommandIDs } from '../../tokens';
import {
  CommandButton,
  CommandLink,
  Notice,
  StatusBadge,
  ThinBar,
  formatNumber,
  grouped,
  shortened,
  visible
} from '../common';
import { Best } from '../run/best';
import { Header, type RunProps } from '../run/header';
import { runItems } from '../run/items';
import { Menu } from '../run/menu';
import { type Study, isStopped, wordOf } from './study';

export interface SweepProps extends RunProps {
  sweep: Sweep;
}

interface HeadProps extends SweepProps {
  study: Study;
}

function State({ run, sweep }: SweepProps): JSX.Element {
  const phase = !isEnded(run.status) && !isWaiting(run.status) ? sweep.phase : null;
  const status = phase === 'Paused' ? 'Paused' : phase === 'Stopping' ? 'CancelRequested' : run.status;
  return <StatusBadge status={status} reason={run.reason || undefined} />;
}

/** Whether all trials are done that were asked for. */
function isDone(sweep: Sweep, study: Study): boolean {
  return doneOf(sweep.counts, study.trials) >= sweep.control.limits.max_total_trials;
}

function Actions({ run, sweep, study, execute }: HeadProps): JSX.Element {
  const args = { id: run.id };
  const ended = isEnded(run.status);
  const paused = sweep.control.paused;
  const finished = isDone(sweep, study);
  return (
    <div className="jp-mls-RunHead-actions">
      {!ended && (
        <>
          <CommandButton
            execute={execute}
            command={paused ? CommandIDs.resumeSweep : CommandIDs.pauseSweep}
            args={args}
            primary={paused}
            disabled={sweep.control.stop}
            title={paused ? 'Go on with new trials' : 'Start no new trials; those under way go on'}
          >
            {paused ? 'Resume' : 'Pause'}
          </CommandButton>
          <CommandButton
            danger
            execute={execute}
            command={CommandIDs.stopSweep}
            args={args}
            disabled={sweep.control.stop}
            title="Stop the trials under way and end the sweep; complete trials are kept"
          >
            {sweep.control.stop ? 'Stopping' : 'Stop'}
          </CommandButton>
          <CommandButton
            execute={execute}
            command={CommandIDs.tryPoint}
            args={args}
            disabled={sweep.control.stop}
            title="Choose the parameters of the next trial yourself"
          >
            Try this …
          </CommandButton>
          <CommandButton
            execute={execute}
            command={CommandIDs.changeSweep}
            args={args}
            disabled={sweep.control.stop}
            title="Change trials, parallelism, time limits and bounds"
          >
            Limits …
          </CommandButton>
        </>
      )}
      {ended && (
        <CommandButton
          primary={!finished}
          execute={execute}
          command={CommandIDs.continueSweep}
          args={args}
          title="Go on where it ended, in a new run that knows all trials"
        >
          {finished ? 'More trials …' : 'Go on'}
        </CommandButton>
      )}
      <Menu label="More" items={runItems(run, execute, CommandIDs.copySweep, 'sweep')}>
        ⋯
      </Menu>
    </div>
  );
}

/** How many trials are done, and what became of them. */
function Progress({ sweep, run, study }: HeadProps): JSX.Element {
  const { counts } = sweep;
  const done = doneOf(counts, study.trials);
  const asked = sweep.control.limits.max_total_trials;
  const stopped = study.trials.filter(isStopped).length;
  const parts = (
    [
      [counts['RUNNING'], 'running'],
      [counts['WAITING'], 'waiting'],
      [counts['PRUNED'], 'pruned'],
      [Math.max(0, (counts['FAIL'] ?? 0) - stopped), 'failed'],
      [stopped, 'stopped']
    ] as const
  ).flatMap(([count, word]) => (count ? [`${grouped(count)} ${word}`] : []));
  return (
    <div className="jp-mls-RunHead-progress">
      <ThinBar
        share={asked > 0 ? done / asked : 0}
        label={`${done} of ${asked} trials`}
        tone={isEnded(run.status) && done < asked ? 'warn' : 'live'}
      />
      <span className="jp-mls-SweepHead-count">
        {grouped(done)} of {grouped(asked)} trials
      </span>
      <span className="jp-mls-quiet">{parts.join(' · ')}</span>
    </div>
  );
}

function paramsText(params: Readonly<Record<string, unknown>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : wordOf(value)}`)
    .join(' · ');
}

/** The best trial and the next steps from it; with several objectives the front is in Plots. */
function BestTrial({ run, sweep, study, best, execute }: HeadProps & { best: Trial }): JSX.Element {
  const objective = sweep.spec.objectives[0];
  const { low, high } = sweep.lead;
  return (
    <Best
      label="Best trial"
      metric={objective?.primary_metric ?? 'best'}
      value={best.values[0]}
      low={low}
      high={high}
    >
      <CommandLink
        execute={execute}
        command={CommandIDs.openRun}
        args={{ id: best.run_id }}
        title="Open the run of the best trial"
      >
        trial {best.number}
      </CommandLink>
      <span
        className="jp-mls-SweepHead-params jp-mls-quiet"
        title={shortened(visible(paramsText(best.params)), 1000)}
      >
        {shortened(visible(paramsText(best.params)), 300)}
      </span>
      <span className="jp-mls-SweepHead-next">
        <CommandButton
          primary={isEnded(run.status) && isDone(sweep, study)}
          execute={execute}
          command={CommandIDs.registerModel}
          args={{ runId: best.run_id }}
          title="Register the model of the best trial"
        >
          Register best
        </CommandButton>
        <CommandButton
          execute={execute}
          command={CommandIDs.sweepNotebook}
          args={{ id: run.id }}
          title="A notebook with the best parameters filled in"
        >
          Open as notebook
        </CommandButton>
      </span>
    </Best>
  );
}

export function SweepHead(props: HeadProps): JSX.Element {
  const { studio, run, sweep, execute } = props;
  return (
    <Header
      studio={studio}
      run={run}
      execute={execute}
      state={<State {...props} />}
      actions={<Actions {...props} />}
    >
      <Progress {...props} />
      {sweep.best && <BestTrial {...props} best={sweep.best} />}
      {!sweep.best && sweep.front.length > 0 && (
        <p className="jp-mls-SweepHead-front">
          {sweep.front.length} trials on the Pareto front of{' '}
          {sweep.spec.objectives.map(one => visible(one.primary_metric)).join(' and ')}
        </p>
      )}
      {sweep.lead.note && <Notice tone="info">{visible(sweep.lead.note)}</Notice>}
    </Header>
  );
}
