/** What the winner rests on: shuffled columns, SHAP values, and how the prediction follows a column. */
import { type JSX, useMemo, useState } from 'react';
import { Plot } from '../../charts/plot';
import { type ColumnImportance, type Explanation, type Real, isEnded, toNumber } from '../../api/types';
import { Button, EmptyState, Name, Notice, formatNumber, grouped, shortened, visible } from '../common';
import type { RunProps } from '../run/header';
import { Section } from '../run/section';
import type { AutoMLProps } from './board';
import { metricOf } from './board';
import { dependenceSpec } from './dependence';

const FIRST = 20;

interface Bar {
  name: string;
  value: number;
  /** Half the width of the whisker. */
  spread: number;
}

function barsOf(importances: readonly ColumnImportance[]): Bar[] {
  return importances
    .map(one => ({ name: one.column, value: toNumber(one.mean), spread: toNumber(one.std) || 0 }))
    .filter(one => Number.isFinite(one.value))
    .sort((a, b) => b.value - a.value);
}

function shapBars(shap: Readonly<Record<string, Real>>): Bar[] {
  return barsOf(Object.entries(shap).map(([column, mean]) => ({ column, mean, std: 0 })));
}

/** Names, numbers, and bars from a common zero; whiskers where a spread is known. */
function Bars({
  bars,
  label,
  selected,
  onSelect
}: {
  bars: readonly Bar[];
  label: string;
  selected?: string | undefined;
  onSelect?: ((name: string) => void) | undefined;
}): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? bars : bars.slice(0, FIRST);
  const high = Math.max(1e-12, ...bars.map(one => one.value + one.spread));
  const low = Math.min(0, ...bars.map(one => one.value - one.spread));
  const at = (value: number): number => Math.min(100, Math.max(0, ((value - low) / (high - low)) * 100));
  return (
    <>
      <table className="jp-mls-Bars" aria-label={label}>
        <tbody>
          {shown.map(({ name, value, spread }) => (
            <tr key={name} aria-current={name === selected ? 'true' : undefined}>
              <th scope="row">
                {onSelect ? (
                  <button type="button" className="jp-mls-Link" onClick={() => onSelect(name)}>
                    <Name text={name} />
                  </button>
                ) : (
                  <Name text={name} />
                )}
              </th>
              <td className="jp-mls-Bars-box" aria-hidden="true">
                <span
                  className="jp-mls-Bars-bar"
                  style={{
                    left: `${at(Math.min(0, value))}%`,
                    width: `${at(Math.max(0, value)) - at(Math.min(0, value))}%`
                  }}
                />
                {spread > 0 && (
                  <span
                    className="jp-mls-Bars-whisker"
                    style={{
                      left: `${at(value - spread)}%`,
                      width: `${at(value + spread) - at(value - spread)}%`
                    }}
                  />
                )}
              </td>
              <td className="jp-mls-Num">
                {formatNumber(value)}
                {spread > 0 && (
                  <span className="jp-mls-quiet"> ± {formatNumber(Number(spread.toPrecision(2)))}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < bars.length && (
        <Button minimal onClick={() => setAll(true)}>
          Show all {grouped(bars.length)} columns
        </Button>
      )}
    </>
  );
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

export function ExplainTab({ automl, run }: RunProps & AutoMLProps): JSX.Element {
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
  const drawn = new Set(explanation.dependences.map(({ column }) => column));
  return (
    <div className="jp-mls-AutoMLExplain">
      {explanation.note && <Notice tone="info">{visible(explanation.note)}</Notice>}
      <div className="jp-mls-AutoML-columns">
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
