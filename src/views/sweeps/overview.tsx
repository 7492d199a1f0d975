/** A sweep at a glance: the best so far, the best trials, and what it was asked for. */
import { type JSX, useCallback, useMemo } from 'react';
import { type Trial, isEnded } from '../../api/types';
import { doneOf } from '../../models/sweeps';
import { CommandIDs } from '../../tokens';
import {
  type Column,
  CommandLink,
  EmptyState,
  KeyValueTable,
  Num,
  Table,
  formatDuration,
  formatNumber,
  shortened,
  visible,
  Section
} from '../common';
import { Ending } from '../run/overview/ending';
import { OriginPart } from '../run/overview/origin';
import { Tags } from '../run/overview/tags';
import { WhoWhen } from '../run/overview/who';
import { historyFigure, nameOf } from './figures';
import type { SweepProps } from './head';
import { useHovered } from './hovered';
import { SweepPlot } from './plot';
import { describeDistribution } from './space';
import { type Study, valueOf, wordOf } from './study';

const TOP = 5;
const SHOWN_PARAMS = 6;
const SHOWN_CHARS = 28;

/** The best complete trials by the first objective, or those of the front. */
function topOf(study: Study): Trial[] {
  const sign = study.objectives[0]?.goal === 'minimize' ? 1 : -1;
  const among =
    study.objectives.length > 1
      ? study.complete.filter(trial => study.front.has(trial.number))
      : study.complete;
  return among
    .filter(trial => trial.feasible)
    .sort((a, b) => sign * (valueOf(a)! - valueOf(b)!) || a.number - b.number)
    .slice(0, TOP);
}

function paramText(trial: Trial, name: string): JSX.Element | string {
  const value = trial.params[name];
  return value === undefined ? (
    '-'
  ) : typeof value === 'number' ? (
    <Num value={value} />
  ) : (
    <span title={shortened(visible(wordOf(value)), 1000)}>
      {shortened(visible(wordOf(value)), SHOWN_CHARS)}
    </span>
  );
}

function Top({
  study,
  execute,
  onTrial
}: {
  study: Study;
  execute: SweepProps['execute'];
  onTrial: (n: number) => void;
}): JSX.Element {
  const rows = useMemo(() => topOf(study), [study]);
  const [, setHovered] = useHovered();
  const columns: Column<Trial>[] = [
    {
      id: 'trial',
      title: 'Trial',
      cell: trial => (
        <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: trial.run_id }}>
          {trial.number}
        </CommandLink>
      )
    },
    ...study.objectives.map((objective, k) => ({
      id: `objective ${k}`,
      title: visible(objective.primary_metric),
      numeric: true,
      cell: (trial: Trial) => <Num value={trial.values[k]} />
    })),
    ...study.params.slice(0, SHOWN_PARAMS).map(axis => ({
      id: `param ${axis.name}`,
      title: <span title={visible(axis.name)}>{shortened(visible(axis.name), SHOWN_CHARS)}</span>,
      numeric: axis.words === null,
      cell: (trial: Trial) => paramText(trial, axis.name)
    }))
  ];
  return (
    <div className="jp-mls-SweepTop" onMouseLeave={() => setHovered(null)}>
      <Table
        columns={columns}
        rows={rows}
        rowKey={trial => String(trial.number)}
        label="Best trials"
        onOpen={trial => onTrial(trial.number)}
      />
    </div>
  );
}

function settingsOf({ sweep }: SweepProps): [string, string][] {
  const { spec, control } = sweep;
  const { limits } = control;
  const { sampling, early_termination: policy } = spec;
  const minutes = (seconds: number | null): string => (seconds === null ? 'none' : formatDuration(seconds));
  return [
    ...spec.objectives.map((one): [string, string] => [one.goal, one.primary_metric]),
    [
      'chosen by',
      sampling.seed === null ? sampling.algorithm : `${sampling.algorithm}, seed ${sampling.seed}`
    ],
    ['ended early by', policy.policy],
    ['trials', formatNumber(limits.max_total_trials)],
    ['at the same time', formatNumber(limits.max_concurrent_trials)],
    ['time limit', minutes(limits.timeout_s)],
    ['time limit of a trial', minutes(limits.trial_timeout_s)],
    ...(limits.exit_score === null
      ? []
      : [['enough at', formatNumber(limits.exit_score)] as [string, string]]),
    ...(spec.repeats > 1 ? [['seeds of each point', String(spec.repeats)] as [string, string]] : []),
    ...spec.constraints.map((text): [string, string] => ['holds', text]),
    ...(spec.warm_start.length > 0
      ? [['knows already', spec.warm_start.join(', ')] as [string, string]]
      : []),
    ['a trial is', sweep.spec.function ? 'a call of a function' : `a ${sweep.work_kind}`]
  ];
}

export function OverviewTab(
  props: SweepProps & { study: Study; onTrial: (number: number) => void }
): JSX.Element {
  const { sweep, run, study, execute, onTrial } = props;
  const history = useCallback(
    (theme: Parameters<typeof historyFigure>[2]) => historyFigure(study, 0, theme),
    [study]
  );
  const space = Object.entries(sweep.control.space).map(([name, one]): [string, string] => [
    name,
    describeDistribution(one)
  ]);
  const fixed = Object.entries(sweep.spec.fixed).map(([name, one]): [string, string] => [name, wordOf(one)]);
  const nothing = study.complete.length === 0;
  return (
    <div className="jp-mls-Overview">
      <Ending {...props} />
      <div className="jp-mls-Overview-columns">
        <div>
          <SweepPlot
            title={`Best ${nameOf(study, 0)} so far`}
            study={study}
            make={history}
            height={280}
            onOpen={onTrial}
            empty={
              nothing && (
                <EmptyState>
                  {isEnded(run.status)
                    ? doneOf(sweep.counts, study.trials) > 0
                      ? 'No trial is complete. The tab Trials says why each of them ended.'
                      : 'There was no trial.'
                    : 'The curve begins with the first complete trial.'}
                </EmptyState>
              )
            }
          />
          {!nothing && (
            <Section title={study.objectives.length > 1 ? 'On the front' : 'Best trials'}>
              <Top study={study} execute={execute} onTrial={onTrial} />
            </Section>
          )}
        </div>
        <div>
          <Section title="Search space" note={space.length || undefined}>
            <KeyValueTable
              label="Search space"
              rows={space}
              execute={execute}
              empty="The function asks for its parameters itself."
            />
          </Section>
          {fixed.length > 0 && (
            <Section title="Fixed" note={fixed.length}>
              <KeyValueTable label="Fixed parameters" rows={fixed} execute={execute} />
            </Section>
          )}
          <Section title="Settings">
            <KeyValueTable label="Settings" rows={settingsOf(props)} />
          </Section>
          <Section title="Tags">
            <Tags {...props} />
          </Section>
          <Section title="Where from">
            <OriginPart {...props} />
          </Section>
          <Section title="Who and when">
            <WhoWhen {...props} />
          </Section>
        </div>
      </div>
    </div>
  );
}
