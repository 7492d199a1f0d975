/** One run in the sidebar: status, name, the number that matters, progress. */
import type { JSX } from 'react';
import { type Experiment, type Real, type RunSummary, isEnded, isLive, isWaiting } from '../../api/types';
import { Sparkline } from '../../charts/sparkline';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Elapsed,
  Name,
  StatusBadge,
  ThinBar,
  When,
  formatNumber,
  shortened,
  statusLook,
  useResource,
  visible
} from '../common';
import { Row } from './sections';

/** Metrics that the supervisor samples, which say nothing about the model. */
export const SYSTEM_METRIC = /^system\//;

/** What counts the work of an AutoML run; its score says more. */
const COUNT_METRIC = 'models_tried';

/** The metric to show where there is room for one: the experiment's primary one, else the first of the run's own. */
export function mainMetric(
  metrics: Record<string, Real>,
  primary: string | null | undefined
): [name: string, value: Real] | undefined {
  if (primary && metrics[primary] !== undefined) {
    return [primary, metrics[primary]];
  }
  return Object.entries(metrics).find(([name]) => !SYSTEM_METRIC.test(name) && name !== COUNT_METRIC);
}

/** A metric's name in the sidebar's space: `validation/accuracy` reads `accuracy`. */
function brief(name: string): string {
  const last = name.split(/[/.]/).pop() ?? name;
  return shortened(visible(last || name), 12);
}

/** The curve of a live run's main metric; only live runs ask for it. */
function LiveSpark({
  studio,
  run,
  metric
}: {
  studio: StudioModel;
  run: RunSummary;
  metric: string;
}): JSX.Element | null {
  const model = useResource(studio.run(run.id));
  const values = model.value?.summaries.find(one => one.name === metric)?.sparkline ?? [];
  return values.length > 1 ? (
    <Sparkline values={values} width={40} height={14} label={visible(metric)} />
  ) : null;
}

function Note({ run }: { run: RunSummary }): JSX.Element {
  if (run.status === 'Failed') {
    return (
      <span className="jp-mls-RunRow-note jp-mls-mod-bad" title={visible(run.reason)}>
        {shortened(visible(run.reason), 60) || 'failed'}
      </span>
    );
  }
  if (isWaiting(run.status)) {
    return (
      <span className="jp-mls-RunRow-note" title={run.waits_for ? `Waits for ${run.waits_for}` : undefined}>
        {run.waits_for ? `waits for ${shortened(visible(run.waits_for), 40)}` : statusLook(run.status).word}
      </span>
    );
  }
  if (run.progress && !isEnded(run.status)) {
    return (
      <span className="jp-mls-RunRow-note">
        {run.progress.done}/{run.progress.total}
      </span>
    );
  }
  return (
    <span className="jp-mls-RunRow-note">
      {isEnded(run.status) ? <When at={run.ended_at ?? run.created_at} /> : <Elapsed run={run} />}
    </span>
  );
}

export function RunRow({
  studio,
  run,
  experiment,
  execute
}: {
  studio: StudioModel;
  run: RunSummary;
  experiment: Experiment | undefined;
  execute: Execute;
}): JSX.Element {
  const main = mainMetric(run.metrics, experiment?.primary_metric);
  const { progress } = run;
  const best = experiment?.best_run?.run_id === run.id;
  return (
    <Row
      kind="run"
      data={{ 'data-run': run.id, 'data-status': run.status, 'data-kind': run.kind }}
      selected={studio.selection?.kind === 'run' && studio.selection.id === run.id}
      onOpen={() => void execute(CommandIDs.openRun, { id: run.id })}
    >
      <StatusBadge status={run.status} reason={run.reason} word={false} />
      <Name text={run.name} />
      <Note run={run} />
      {main && (
        <span
          className="jp-mls-RunRow-metric"
          title={`${visible(main[0])} ${String(main[1])}${best ? ', the best of its experiment' : ''}`}
        >
          {isLive(run.status) && <LiveSpark studio={studio} run={run} metric={main[0]} />}
          <span className="jp-mls-RunRow-metricName">{brief(main[0])}</span>
          <span className={`jp-mls-Num ${best ? 'jp-mls-mod-best' : ''}`}>{formatNumber(main[1])}</span>
        </span>
      )}
      {progress && !isEnded(run.status) && progress.total > 0 && (
        <ThinBar
          share={progress.done / progress.total}
          label={`${progress.done} of ${progress.total}${progress.text ? `, ${visible(progress.text)}` : ''}`}
        />
      )}
    </Row>
  );
}
