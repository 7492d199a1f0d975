/** How good the model is. */
import { type JSX, useMemo, useState } from 'react';
import { Plot } from '../../../charts/plot';
import { CopyButton, EmptyState, ErrorBox, Loading, shortened, useResource, visible } from '../../common';
import type { RunProps } from '../header';
import { Classifier } from './classifier';
import { Confusion } from './confusion';
import { OtherCharts } from './others';
import { type IEvaluation, readCharts } from './read';
import { predictionsSpec, residualsSpec, truePredictedSpec } from './specs';

const HINT = 'studio.evaluate(model, X_test, y_test)';

function Regression({ evaluation }: { evaluation: IEvaluation }): JSX.Element {
  const residuals = useMemo(() => evaluation.residuals && residualsSpec(evaluation.residuals), [evaluation]);
  const points = useMemo(
    () => evaluation.truePredicted && truePredictedSpec(evaluation.truePredicted),
    [evaluation]
  );
  const means = useMemo(
    () => evaluation.predictions && predictionsSpec(evaluation.predictions),
    [evaluation]
  );
  return (
    <div className="jp-mls-ChartPair">
      {points && <Plot spec={points} height={340} />}
      {residuals && <Plot spec={residuals} height={340} />}
      {means && <Plot spec={means} height={340} />}
    </div>
  );
}

function One({
  studio,
  run,
  execute,
  evaluation
}: Pick<RunProps, 'studio' | 'run' | 'execute'> & { evaluation: IEvaluation }): JSX.Element {
  const regression = evaluation.residuals ?? evaluation.truePredicted ?? evaluation.predictions;
  const curves = evaluation.roc.length > 0 || evaluation.pr.length > 0 || evaluation.tables.length > 0;
  return (
    <>
      {curves && <Classifier studio={studio} run={run} execute={execute} evaluation={evaluation} />}
      {!curves && evaluation.confusion && (
        <Confusion
          labels={evaluation.confusion.labels}
          matrix={evaluation.confusion.matrix}
          title="Confusion matrix"
        />
      )}
      {regression && <Regression evaluation={evaluation} />}
    </>
  );
}

/** The evaluation that is chosen, and below it what else was logged. */
export function EvaluationTab({ studio, run, execute }: RunProps): JSX.Element {
  const model = useResource(studio.charts(run.id));
  const [chosen, setChosen] = useState<string | null>(null);
  const charts = model.value;
  const read = useMemo(() => (charts ? readCharts(charts) : null), [charts]);
  if (!read) {
    return model.error ? (
      <ErrorBox what="The charts could not be read" error={model.error} retry={() => model.refresh()} />
    ) : (
      <Loading />
    );
  }
  const evaluation = read.evaluations.find(one => one.name === chosen) ?? read.evaluations[0];
  if (!evaluation && read.others.length === 0) {
    return (
      <EmptyState
        title="Nothing to judge yet"
        action={<CopyButton text={HINT} execute={execute} label="Copy" />}
      >
        One line fills this page with curves, a confusion matrix and a threshold to move: <code>{HINT}</code>
      </EmptyState>
    );
  }
  return (
    <div className="jp-mls-Evaluation">
      {read.evaluations.length > 1 && evaluation && (
        <label className="jp-mls-Toolbar">
          Evaluation{' '}
          <select value={evaluation.name} onChange={event => setChosen(event.target.value)}>
            {read.evaluations.map(one => (
              <option key={one.name} value={one.name}>
                {shortened(visible(one.name), 60) || 'unnamed'}
              </option>
            ))}
          </select>
        </label>
      )}
      {evaluation && (
        <One key={evaluation.name} studio={studio} run={run} execute={execute} evaluation={evaluation} />
      )}
      <OtherCharts studio={studio} run={run} others={read.others} />
    </div>
  );
}
