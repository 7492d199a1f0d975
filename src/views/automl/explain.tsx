/** What the winner rests on: shuffled columns, SHAP values, and how the prediction follows a column. */
import { type JSX, useMemo, useState } from 'react';
import { Plot } from '../../charts/plot';
import {
  type ColumnImportance,
  type ColumnRole,
  type Explanation,
  type Real,
  isEnded,
  toNumber
} from '../../api/types';
import { EmptyState, Notice, shortened, visible, Section } from '../common';
import type { RunProps } from '../run/header';
import { type Bar, Bars } from './bars';
import { type AutoMLProps, metricOf } from './board';
import { dependenceSpec } from './dependence';
import { OneRow } from './onerow';

/** Columns that the winner does not learn from. */
const ASIDE: readonly ColumnRole[] = ['target', 'weight', 'dropped'];

function barsOf(importances: readonly ColumnImportance[]): Bar[] {
  return importances
    .map(one => ({ name: one.column, value: toNumber(one.mean), spread: toNumber(one.std) || 0 }))
    .filter(one => Number.isFinite(one.value))
    .sort((a, b) => b.value - a.value);
}

function shapBars(shap: Readonly<Record<string, Real>>): Bar[] {
  return barsOf(Object.entries(shap).map(([column, mean]) => ({ column, mean, std: 0 })));
}

function Dependences({
  explanation,
  automl,
  selected,
  onSelect
}: AutoMLProps & {
  explanation: Explanation;
  selected: string | undefined;
  onSelect: (column: string) => void;
}): JSX.Element | null {
  const one = explanation.dependences.find(({ column }) => column === selected) ?? explanation.dependences[0];
  const spec = useMemo(() => one && dependenceSpec(one, automl.report), [one, automl.report]);
  if (!one || !spec) {
    return null;
  }
  return (
    <Plot
      spec={spec}
      height={320}
      {...(one.rows.length > 0 ? { note: `${one.rows.length} single rows behind the mean` } : {})}
      controls={
        <select aria-label="Column" value={one.column} onChange={event => onSelect(event.target.value)}>
          {explanation.dependences.map(({ column }) => (
            <option key={column} value={column}>
              {shortened(visible(column), 40)}
            </option>
          ))}
        </select>
      }
    />
  );
}

export function ExplainTab({ automl, run, execute }: RunProps & AutoMLProps): JSX.Element {
  const { explanation } = automl.report;
  const [selected, setSelected] = useState<string | undefined>();
  const importances = useMemo(() => barsOf(explanation?.importances ?? []), [explanation]);
  const shap = useMemo(() => shapBars(explanation?.shap ?? {}), [explanation]);
  if (!explanation) {
    return (
      <EmptyState>
        {isEnded(run.status)
          ? 'This run has no explanation of its winner.'
          : 'What the winner rests on is worked out once it is found.'}
      </EmptyState>
    );
  }
  const features = automl.report.columns.filter(one => !ASIDE.includes(one.role));
  const drawn = new Set(explanation.dependences.map(({ column }) => column));
  return (
    <div className="jp-mls-AutoMLExplain">
      {explanation.note && <Notice tone="info">{visible(explanation.note)}</Notice>}
      <div className="jp-mls-AutoML-columns">
        <div>
          <Section title="Importance">
            <p className="jp-mls-quiet">
              How much worse {metricOf(automl)} becomes when a column is shuffled. Its standard deviation over
              the repeats is the line on the bar.
            </p>
            {importances.length > 0 ? (
              <Bars
                bars={importances}
                label="Importance of columns"
                selected={selected}
                onSelect={drawn.size > 0 ? name => drawn.has(name) && setSelected(name) : undefined}
              />
            ) : (
              <p className="jp-mls-quiet">None is known.</p>
            )}
          </Section>
          {automl.report.task === 'forecasting' && (
            <p className="jp-mls-quiet">
              A forecast is not explained row by row; the columns above are those of its history.
            </p>
          )}
          {isEnded(run.status) && automl.report.task !== 'forecasting' && features.length > 0 && (
            <Section title="One row">
              <OneRow runId={run.id} columns={features} execute={execute} />
            </Section>
          )}
        </div>
        <div>
          <Dependences automl={automl} explanation={explanation} selected={selected} onSelect={setSelected} />
          {shap.length > 0 && (
            <Section title="SHAP">
              <p className="jp-mls-quiet">How far a column moves the prediction, the mean over rows.</p>
              <Bars bars={shap} label="Mean absolute SHAP values" />
            </Section>
          )}
        </div>
      </div>
    </div>
  );
}
