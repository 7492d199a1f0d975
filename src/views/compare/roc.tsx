/** ROC curves of all runs over each other. */
import { type JSX, useMemo, useState } from 'react';
import { colorOf, dashOf } from '../../charts/palette';
import { Plot } from '../../charts/plot';
import type { IChartSpec } from '../../charts/spec';
import { EmptyState, formatNumber, Loading, shortened, visible } from '../common';
import { type IEvaluation, type IRocCurve, readCharts } from '../run/evaluation/read';
import { curveName } from '../run/evaluation/specs';
import { useResources } from './hooks';
import type { ComparedProps } from './index';

const POSITIVE = '\0positive';

/** The evaluations of the runs that have ROC curves, by name. */
function namesOf(evaluations: readonly (readonly IEvaluation[])[]): string[] {
  return [
    ...new Set(
      evaluations
        .flat()
        .filter(one => one.roc.length > 0)
        .map(one => one.name)
    )
  ];
}

/** The curve that a choice means in one evaluation: the positive class of each, or the curve of that name. */
export function chosenCurve(evaluation: IEvaluation, choice: string): IRocCurve | undefined {
  if (choice !== POSITIVE) {
    return evaluation.roc.find(curve => curveName(curve) === choice);
  }
  const classes = evaluation.roc.filter(curve => curve.kind === 'class');
  const positive = classes.find(curve => curve.label === evaluation.positiveLabel);
  return (
    positive ?? (classes.length <= 2 ? classes.at(-1) : evaluation.roc.find(curve => curve.kind === 'macro'))
  );
}

export function RocOverlay({ studio, runs }: ComparedProps): JSX.Element {
  const ids = runs.map(run => run.id);
  const models = useResources(() => ids.map(id => studio.charts(id)), ids.join());
  const evaluations = models.map(model => readCharts(model.value ?? []).evaluations);
  const names = namesOf(evaluations);
  const [evaluation, setEvaluation] = useState<string | null>(null);
  const [choice, setChoice] = useState(POSITIVE);
  const name = evaluation !== null && names.includes(evaluation) ? evaluation : names[0];
  const picked = evaluations.map(list => list.find(one => one.name === name));
  const curves = [...new Set(picked.flatMap(one => one?.roc.map(curveName) ?? []))];
  const key = `${name} ${choice} ${runs.map(run => `${run.id} ${run.name}`).join()} ${models.map(model => model.value?.length ?? -1).join()}`;
  const spec = useMemo<IChartSpec>(
    () => ({
      title: 'ROC curves',
      x: { title: 'false positive rate', range: [-0.01, 1.01] },
      y: { title: 'true positive rate', range: [-0.01, 1.02] },
      square: true,
      references: [{ from: [0, 0], to: [1, 1], text: 'chance' }],
      series: runs.flatMap((run, index) => {
        const found = picked[index] && chosenCurve(picked[index], choice);
        return found
          ? [
              {
                name: `${run.name} · AUC ${formatNumber(found.auc)}`,
                x: found.fpr,
                y: found.tpr,
                color: colorOf(index),
                dash: dashOf(index)
              }
            ]
          : [];
      })
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key stands for runs and charts
    [key]
  );
  if (models.some(model => model.loading && !model.value)) {
    return <Loading />;
  }
  if (name === undefined) {
    return (
      <EmptyState>
        None of these runs has a ROC curve. Log one with <code>studio.evaluate(model, X_test, y_test)</code>.
      </EmptyState>
    );
  }
  return (
    <>
      <div className="jp-mls-Toolbar">
        {names.length > 1 && (
          <label>
            Evaluation{' '}
            <select value={name} onChange={event => setEvaluation(event.target.value)}>
              {names.map(one => (
                <option key={one} value={one}>
                  {shortened(visible(one), 60) || 'unnamed'}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          Curve{' '}
          <select value={choice} onChange={event => setChoice(event.target.value)}>
            <option value={POSITIVE}>positive class</option>
            {curves.map(one => (
              <option key={one} value={one}>
                {shortened(visible(one), 60)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="jp-mls-ChartOne">
        <Plot spec={spec} height={460} />
      </div>
    </>
  );
}
