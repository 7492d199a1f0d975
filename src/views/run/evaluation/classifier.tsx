/** ROC left, precision-recall right, confusion matrix and numbers below, one threshold through all of them. */
import { type JSX, useMemo, useState } from 'react';
import { colorOf } from '../../../charts/palette';
import { Plot } from '../../../charts/plot';
import type { IChartSpec } from '../../../charts/spec';
import { POSITIVE_TAG, THRESHOLD_TAG } from '../../../models/actions';
import { Name, shortened, visible } from '../../common';
import type { RunProps } from '../header';
import { Confusion } from './confusion';
import { type ICosts, type IThresholdTable, matrixOf, measuresOf, nearestThreshold } from './measures';
import { type CurveKind, firstClass, type IConfusion, type IEvaluation } from './read';
import { curveName, type Picked, prMark, prSpec, rocMark, rocSpec } from './specs';
import { ThresholdPanel } from './threshold';

/** While the slider moves, charts follow at once; nothing live redraws here. */
const SLIDER_REDRAW_MS = 40;
const CHART_PX = 340;
const SHOWN_CURVES = 8;

interface IState {
  table: IThresholdTable | null;
  at: number;
}

function useThreshold(
  evaluation: IEvaluation,
  stored: string | undefined,
  about: string | undefined
): [IState, number, (row: number) => void, (index: number) => void] {
  const [chosen, setChosen] = useState(() => {
    const kept = stored === undefined ? -1 : evaluation.tables.findIndex(({ label }) => label === about);
    return kept >= 0 ? kept : firstClass(evaluation);
  });
  const [wanted, setWanted] = useState(
    stored === undefined || !Number.isFinite(Number(stored)) ? 0.5 : Number(stored)
  );
  const index = Math.min(chosen, Math.max(0, evaluation.tables.length - 1));
  const table = evaluation.tables[index] ?? null;
  const at = table ? nearestThreshold(table.thresholds, wanted) : 0;
  return [{ table, at }, index, row => setWanted(table?.thresholds[row] ?? 0.5), setChosen];
}

interface CurveName {
  name: string;
  label: string;
  kind: CurveKind;
}

function namesOf(evaluation: IEvaluation): CurveName[] {
  const curves = evaluation.roc.length > 0 ? evaluation.roc : evaluation.pr;
  return curves.map(curve => ({ name: curveName(curve), label: curve.label, kind: curve.kind }));
}

/** At first: the positive class of two, else the averages and as many classes as can be told apart. */
export function firstShown(names: readonly CurveName[], positive: string | null): Set<string> {
  const classes = names.filter(one => one.kind === 'class');
  if (classes.length <= 2) {
    const found = classes.find(one => one.label === positive) ?? classes.at(-1);
    return new Set(found ? [found.name] : names.map(one => one.name));
  }
  const averages = names.filter(one => one.kind !== 'class');
  return new Set([...classes.slice(0, SHOWN_CURVES - averages.length), ...averages].map(one => one.name));
}

interface PickerProps {
  names: readonly CurveName[];
  shown: ReadonlySet<string>;
  onShown: (shown: Set<string>) => void;
}

function CurvePicker({ names, shown, onShown }: PickerProps): JSX.Element {
  const turn = (name: string): void => {
    const next = new Set(shown);
    if (!next.delete(name)) {
      next.add(name);
    }
    onShown(next);
  };
  return (
    <div className="jp-mls-Chips" role="group" aria-label="Curves that are shown">
      {names.map((one, index) => (
        <label key={one.name} className="jp-mls-Chip">
          <input type="checkbox" checked={shown.has(one.name)} onChange={() => turn(one.name)} />
          <span className="jp-mls-Swatch" style={{ background: colorOf(index) }} aria-hidden="true" />
          <Name text={one.name} />
        </label>
      ))}
    </div>
  );
}

function pick<C extends { label: string; kind: CurveKind }>(
  curves: readonly C[],
  shown: ReadonlySet<string>
): Picked<C> {
  return curves.flatMap((curve, index) => (shown.has(curveName(curve)) ? [[index, curve] as const] : []));
}

export function Classifier({
  studio,
  run,
  execute,
  evaluation
}: Pick<RunProps, 'studio' | 'run' | 'execute'> & { evaluation: IEvaluation }): JSX.Element {
  const names = useMemo(() => namesOf(evaluation), [evaluation]);
  const [shown, setShown] = useState(() => firstShown(names, evaluation.positiveLabel));
  const [costs, setCosts] = useState<ICosts>({ fp: 1, fn: 1 });
  const [{ table, at }, index, setAt, setClass] = useThreshold(
    evaluation,
    run.tags[THRESHOLD_TAG],
    run.tags[POSITIVE_TAG]
  );
  const counts = table?.counts[at];
  const binary = evaluation.tables.length <= 2;
  const measures = useMemo(() => (counts ? measuresOf(counts, costs) : null), [counts, costs]);
  const threshold = table?.thresholds[at] ?? 0;
  const curveAt = names.findIndex(one => one.label === table?.label && one.kind === 'class');
  const color = colorOf(Math.max(0, curveAt));
  const roc = useMemo(
    () => rocSpec(pick(evaluation.roc, shown), measures && rocMark(measures, threshold, color)),
    [evaluation, shown, measures, threshold, color]
  );
  const baseline = counts
    ? (counts.tp + counts.fn) / Math.max(1, counts.tp + counts.fn + counts.fp + counts.tn)
    : null;
  const pr = useMemo(
    () => prSpec(pick(evaluation.pr, shown), measures && prMark(measures, threshold, color), baseline),
    [evaluation, shown, measures, threshold, color, baseline]
  );
  const jump = (thresholds: readonly number[] | undefined, point: number): void => {
    const wanted = thresholds?.[point];
    if (table && wanted !== undefined && !Number.isNaN(wanted)) {
      setAt(nearestThreshold(table.thresholds, Math.min(1, wanted)));
    }
  };
  const noteOf = (spec: IChartSpec): { note: string } => ({
    note: [
      spec.series.length === 1 ? (spec.series[0]?.name ?? '') : '',
      evaluation.thinned ? 'thinned out; the numbers below are exact' : ''
    ]
      .filter(Boolean)
      .join(' · ')
  });
  const choose = (row: number): void => {
    setClass(row);
    const found = names.find(one => one.kind === 'class' && one.label === evaluation.tables[row]?.label);
    if (found) {
      setShown(new Set([...shown, found.name]));
    }
  };
  return (
    <div className="jp-mls-Classifier">
      {names.length > 1 && <CurvePicker names={names} shown={shown} onShown={setShown} />}
      <div className="jp-mls-ChartPair">
        {evaluation.roc.length > 0 && (
          <Plot
            spec={roc}
            height={CHART_PX}
            redrawMs={SLIDER_REDRAW_MS}
            {...noteOf(roc)}
            onPoint={(series, point) => jump(pick(evaluation.roc, shown)[series]?.[1].thresholds, point)}
          />
        )}
        {evaluation.pr.length > 0 && (
          <Plot
            spec={pr}
            height={CHART_PX}
            redrawMs={SLIDER_REDRAW_MS}
            {...noteOf(pr)}
            onPoint={(series, point) => jump(pick(evaluation.pr, shown)[series]?.[1].thresholds, point)}
          />
        )}
      </div>
      <div className="jp-mls-ChartPair">
        {table && measures && counts && (
          <div>
            {evaluation.tables.length > 1 && (
              <label className="jp-mls-ClassPicker">
                Class{' '}
                <select value={index} onChange={event => choose(Number(event.target.value))}>
                  {evaluation.tables.map((one, i) => (
                    <option key={i} value={i}>
                      {shortened(visible(one.label), 60)}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <ThresholdPanel
              studio={studio}
              run={run}
              execute={execute}
              table={table}
              binary={evaluation.tables.length === 2}
              at={at}
              onAt={setAt}
              measures={measures}
              costs={costs}
              onCosts={setCosts}
            />
          </div>
        )}
        {table && counts ? (
          <Confusion
            labels={[restLabel(evaluation, table.label), table.label]}
            matrix={matrixOf(counts)}
            title={binary ? 'Confusion matrix at the threshold' : `${table.label} against the rest`}
          />
        ) : (
          evaluation.confusion && <WholeMatrix confusion={evaluation.confusion} />
        )}
      </div>
      {counts && !binary && evaluation.confusion && <WholeMatrix confusion={evaluation.confusion} />}
    </div>
  );
}

function WholeMatrix({ confusion }: { confusion: IConfusion }): JSX.Element {
  return <Confusion labels={confusion.labels} matrix={confusion.matrix} title="Confusion matrix" />;
}

function restLabel(evaluation: IEvaluation, label: string): string {
  const labels = evaluation.confusion?.labels ?? evaluation.tables.map(table => table.label);
  return labels.length === 2 ? (labels.find(one => one !== label) ?? 'rest') : `not ${label}`;
}
