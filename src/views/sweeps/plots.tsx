/** All plots of a sweep. Each is drawn when it comes into sight; the trial under the pointer is lit in all of them. */
import { type JSX, useCallback, useMemo, useState } from 'react';
import { type Sweep, isEnded } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import type { IChartTheme } from '../../charts/theme';
import { EmptyState, ErrorBox, formatNumber, shortened, useNow, useResource, visible } from '../common';
import {
  edfFigure,
  historyFigure,
  importanceFigure,
  nameOf,
  stepsFigure,
  timelineFigure,
  wordOfState
} from './figures';
import { useHovered } from './hovered';
import type { Brushes } from './lanes';
import { ParallelPlot } from './parallel';
import { SweepPlot } from './plot';
import {
  SLICE_HEIGHT,
  contourFigure,
  hypervolumeFigure,
  paretoFigure,
  rankFigure,
  sliceFigure
} from './relations';
import { useInSight } from './sight';
import { type ParamAxis, type Study, valueOf, wordOf } from './study';

export interface PlotsProps {
  studio: StudioModel;
  sweep: Sweep;
  study: Study;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
  onTrial: (number: number) => void;
}

/** A choice among names in a plot's head. */
export function Choose({
  label,
  value,
  options,
  onChange
}: {
  label: string;
  value: string;
  options: readonly (readonly [id: string, word: string])[];
  onChange: (id: string) => void;
}): JSX.Element | null {
  return options.length < 2 ? null : (
    <select aria-label={label} title={label} value={value} onChange={event => onChange(event.target.value)}>
      {options.map(([id, word]) => (
        <option key={id} value={id}>
          {shortened(visible(word), 24)}
        </option>
      ))}
    </select>
  );
}

/** The facts of the trial under the pointer, always in the same place so that nothing jumps. */
function TrialLine({ study }: { study: Study }): JSX.Element {
  const [hovered] = useHovered();
  const trial = hovered === null ? undefined : study.byNumber.get(hovered);
  if (!trial) {
    return (
      <p className="jp-mls-TrialLine jp-mls-quiet">
        Point at a trial to see it in all plots; a click opens its run.
      </p>
    );
  }
  const values = study.objectives.map((one, k) => `${one.primary_metric} ${formatNumber(trial.values[k])}`);
  const params = Object.entries(trial.params).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : wordOf(value)}`
  );
  return (
    <p className="jp-mls-TrialLine" role="status">
      <strong>trial {trial.number}</strong> {wordOfState(trial)} · {visible(values.join(' · '))}
      <span className="jp-mls-quiet"> · {visible(params.join(' · '))}</span>
    </p>
  );
}

const EVALUATORS = [
  ['fanova', 'fANOVA'],
  ['ped_anova', 'PED-ANOVA']
] as const;

function ImportancePlot({
  studio,
  sweep,
  study,
  objective,
  onTrial
}: PlotsProps & { objective: number }): JSX.Element {
  const [ref, inSight] = useInSight<HTMLDivElement>();
  const [evaluator, setEvaluator] = useState('fanova');
  const enough = study.complete.length >= 4 && study.params.length > 0;
  const model = useResource(inSight && enough ? studio.importance(sweep.run_id, objective, evaluator) : null);
  const value = model?.value;
  const make = useCallback(
    (theme: IChartTheme) => importanceFigure(value ?? { evaluator, objective, trials: 0, params: {} }, theme),
    [value, evaluator, objective]
  );
  const waiting = !enough
    ? 'Needs four complete trials.'
    : value
      ? null
      : model?.error
        ? null
        : 'Worked out on the server …';
  const empty =
    model?.error && !value ? (
      <ErrorBox what="The importance could not be told" error={model.error} retry={() => model.refresh()} />
    ) : (
      waiting && <p className="jp-mls-quiet">{waiting}</p>
    );
  return (
    <div ref={ref}>
      <SweepPlot
        title="Importance of parameters"
        study={study}
        make={make}
        height={Math.max(160, Math.min(420, 60 + 26 * Object.keys(value?.params ?? {}).length))}
        onOpen={onTrial}
        empty={empty}
        controls={
          <Choose
            label="Way of telling the importance"
            value={evaluator}
            options={EVALUATORS}
            onChange={setEvaluator}
          />
        }
      />
    </div>
  );
}

/** Rank and contour, over two parameters that are chosen for both. */
function PairPlots({
  study,
  objective,
  onTrial
}: Pick<PlotsProps, 'study' | 'onTrial'> & { objective: number }): JSX.Element | null {
  const numbers = study.params.filter(axis => axis.words === null);
  const first = (numbers[0] ?? study.params[0])?.name ?? '';
  const second = (numbers[1] ?? study.params.find(axis => axis.name !== first))?.name ?? '';
  const [pair, setPair] = useState<[string, string]>(['', '']);
  const find = (name: string, fallback: string): ParamAxis | undefined =>
    study.params.find(axis => axis.name === name) ?? study.params.find(axis => axis.name === fallback);
  const [a, b] = [find(pair[0], first), find(pair[1], second)];
  const rank = useCallback(
    (theme: IChartTheme) => rankFigure(study, objective, a!, b!, theme),
    [study, objective, a, b]
  );
  const contour = useCallback(
    (theme: IChartTheme) => contourFigure(study, objective, a!, b!, theme),
    [study, objective, a, b]
  );
  if (!a || !b || a === b) {
    return null;
  }
  const options = study.params.map((axis): [string, string] => [axis.name, axis.name]);
  const controls = (
    <>
      <Choose
        label="Parameter across"
        value={a.name}
        options={options.filter(([name]) => name !== b.name)}
        onChange={name => setPair([name, b.name])}
      />
      <Choose
        label="Parameter upwards"
        value={b.name}
        options={options.filter(([name]) => name !== a.name)}
        onChange={name => setPair([a.name, name])}
      />
    </>
  );
  return (
    <>
      <SweepPlot
        title="Contour"
        study={study}
        make={contour}
        height={300}
        onOpen={onTrial}
        controls={controls}
      />
      <SweepPlot title="Rank" study={study} make={rank} height={300} onOpen={onTrial} controls={controls} />
    </>
  );
}

function ParetoPlots({ study, onTrial }: Pick<PlotsProps, 'study' | 'onTrial'>): JSX.Element {
  const [pair, setPair] = useState<[number, number]>([0, 1]);
  const options = study.objectives.map((one, k): [string, string] => [String(k), one.primary_metric]);
  const pareto = useCallback(
    (theme: IChartTheme) => paretoFigure(study, pair[0], pair[1], theme),
    [study, pair]
  );
  const volume = useCallback((theme: IChartTheme) => hypervolumeFigure(study, theme), [study]);
  const controls = options.length > 2 && (
    <>
      <Choose
        label="Objective across"
        value={String(pair[0])}
        options={options.filter((_, k) => k !== pair[1])}
        onChange={id => setPair([Number(id), pair[1]])}
      />
      <Choose
        label="Objective upwards"
        value={String(pair[1])}
        options={options.filter((_, k) => k !== pair[0])}
        onChange={id => setPair([pair[0], Number(id)])}
      />
    </>
  );
  return (
    <>
      <SweepPlot
        title="Pareto front"
        study={study}
        make={pareto}
        height={300}
        onOpen={onTrial}
        controls={controls}
      />
      <SweepPlot title="Hypervolume" study={study} make={volume} height={300} onOpen={onTrial} />
    </>
  );
}

const MAX_SLICES = 12;

function SlicePlot({
  study,
  objective,
  onTrial
}: Pick<PlotsProps, 'study' | 'onTrial'> & { objective: number }): JSX.Element {
  const [first, setFirst] = useState('0');
  const parts = Array.from(
    { length: Math.ceil(study.params.length / MAX_SLICES) },
    (_, at): [string, string] => {
      const from = at * MAX_SLICES;
      return [String(from), `${from + 1} to ${Math.min(study.params.length, from + MAX_SLICES)}`];
    }
  );
  const params = useMemo(
    () => study.params.slice(Number(first), Number(first) + MAX_SLICES),
    [study.params, first]
  );
  const [columns, setColumns] = useState(Math.min(4, Math.max(1, params.length)));
  const make = useCallback(
    (theme: IChartTheme, widthPx: number) => {
      const fit = widthPx < 420 ? 1 : widthPx < 760 ? 2 : Math.min(4, Math.max(1, params.length));
      // The height follows in the next drawing.
      window.setTimeout(() => setColumns(fit));
      return sliceFigure(study, objective, params, theme, fit);
    },
    [study, objective, params]
  );
  const rows = Math.max(1, Math.ceil(params.length / columns));
  return (
    <div className="jp-mls-Sweep-wide">
      <SweepPlot
        title="Slice"
        study={study}
        make={make}
        height={rows * SLICE_HEIGHT + 40}
        onOpen={onTrial}
        controls={<Choose label="Parameters" value={first} options={parts} onChange={setFirst} />}
      />
    </div>
  );
}

function Timeline({ sweep, study, onTrial }: Pick<PlotsProps, 'sweep' | 'study' | 'onTrial'>): JSX.Element {
  const live = !isEnded(sweep.status) && study.trials.some(trial => trial.state === 'RUNNING');
  const now = useNow(live ? 2000 : null);
  const rounded = live ? now : 0;
  const make = useCallback(
    (theme: IChartTheme) => timelineFigure(study, theme, rounded || Date.now()),
    [study, rounded]
  );
  return <SweepPlot title="Timeline" study={study} make={make} onOpen={onTrial} />;
}

export function PlotsTab(props: PlotsProps): JSX.Element {
  const { sweep, study, brushes, onBrush, onTrial } = props;
  const [chosen, setObjective] = useState(0);
  const objective = Math.min(chosen, study.objectives.length - 1);
  const several = study.objectives.length > 1;
  const history = useCallback(
    (theme: IChartTheme) => historyFigure(study, objective, theme),
    [study, objective]
  );
  const edf = useCallback((theme: IChartTheme) => edfFigure(study, objective, theme), [study, objective]);
  const steps = useCallback((theme: IChartTheme) => stepsFigure(study, theme), [study]);
  if (study.complete.every(trial => valueOf(trial, objective) === null)) {
    return (
      <EmptyState>
        {!isEnded(sweep.status)
          ? 'The plots begin with the first complete trial.'
          : study.trials.length > 0
            ? 'No trial is complete, so there is nothing to plot. The tab Trials says why each of them ended.'
            : 'There was no trial.'}
      </EmptyState>
    );
  }
  const plot = { study, onOpen: onTrial };
  return (
    <div className="jp-mls-SweepPlots">
      <div className="jp-mls-SweepPlots-bar">
        <TrialLine study={study} />
        {several && (
          <label>
            Objective{' '}
            <Choose
              label="Objective of the plots"
              value={String(objective)}
              options={study.objectives.map((one, k) => [String(k), one.primary_metric])}
              onChange={id => setObjective(Number(id))}
            />
          </label>
        )}
      </div>
      {several && <ParetoPlots study={study} onTrial={onTrial} />}
      {study.params.length > 0 && (
        <div className="jp-mls-Sweep-wide">
          <ParallelPlot
            study={study}
            objective={objective}
            brushes={brushes}
            onBrush={onBrush}
            onOpen={onTrial}
          />
        </div>
      )}
      <SweepPlot title={`Best ${nameOf(study, objective)} so far`} make={history} {...plot} />
      <ImportancePlot {...props} objective={objective} />
      {study.params.length > 0 && <SlicePlot study={study} objective={objective} onTrial={onTrial} />}
      <PairPlots study={study} objective={objective} onTrial={onTrial} />
      <SweepPlot title="Distribution of values (EDF)" make={edf} {...plot} />
      <Timeline sweep={props.sweep} study={study} onTrial={onTrial} />
      {study.trials.some(trial => trial.steps.length > 1) && (
        <div className="jp-mls-Sweep-wide">
          <SweepPlot title="Intermediate values" make={steps} {...plot} />
        </div>
      )}
    </div>
  );
}
