/** How the best became better, which families were tried or dropped, and where the time went. */
import { type JSX, useMemo } from 'react';
import { colorOf } from '../../charts/palette';
import { Plot } from '../../charts/plot';
import type { IChartSpec } from '../../charts/spec';
import { type AutoMLBudget, type FamilyState, isEnded } from '../../api/types';
import {
  EmptyState,
  MISSING,
  Name,
  Num,
  Table,
  formatDuration,
  formatNumber,
  formatPercent,
  grouped,
  Section
} from '../common';
import type { RunProps } from '../run/header';
import { type AutoMLProps, historyOf, metricOf } from './board';

/** Up to this many models each has a tick of its own. */
const FEW = 12;

const PARTS: Record<string, string> = {
  read: 'reading the table',
  look: 'looking at the table',
  search: 'trying models',
  ensemble: 'putting models together',
  refit: 'fitting the winner',
  onnx: 'checking ONNX',
  explain: 'explaining'
};

/** Scores in the order of trying, and the best until then. */
export function historySpec(automl: AutoMLProps['automl']): IChartSpec {
  const history = historyOf(automl.report);
  const metric = metricOf(automl);
  // Where many are far off, the axis keeps to what is near the best.
  return {
    title: `Best ${metric} so far`,
    x: {
      title: 'model',
      ...(history.number.length <= FEW
        ? { ticks: { values: history.number, texts: history.number.map(String) } }
        : {})
    },
    y: { title: metric },
    series: [
      {
        name: 'best so far',
        kind: 'steps',
        x: history.number,
        y: history.best,
        color: colorOf(0)
      },
      {
        name: 'models',
        kind: 'points',
        x: history.number,
        y: history.score,
        color: colorOf(1),
        texts: history.family.map(
          (family, index) =>
            `model ${history.number[index]}, ${family}: ${formatNumber(history.score[index])}`
        )
      }
    ]
  };
}

function Budget({ budget }: { budget: AutoMLBudget }): JSX.Element {
  const parts = Object.entries(budget.parts).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1e-9, ...parts.map(([, seconds]) => seconds));
  return (
    <>
      <p>
        {formatDuration(budget.used_s)} of {formatDuration(budget.timeout_s)} used
        {budget.used_s > budget.timeout_s &&
          `, ${formatPercent(budget.used_s / budget.timeout_s - 1, 1)} too long`}
        .
      </p>
      {parts.length > 0 && (
        <Table
          label="Where the time went"
          rows={parts}
          rowKey={([name]) => name}
          columns={[
            { id: 'part', title: 'Part', cell: ([name]) => <Name text={PARTS[name] ?? name} /> },
            { id: 'time', title: 'Time', numeric: true, cell: ([, seconds]) => formatDuration(seconds) },
            {
              id: 'bar',
              title: <span className="jp-mls-hidden">Share</span>,
              cell: ([, seconds]) => (
                <span className="jp-mls-HBar" aria-hidden="true">
                  <span style={{ width: `${(seconds / most) * 100}%` }} />
                </span>
              )
            }
          ]}
        />
      )}
    </>
  );
}

function Families({ families }: { families: readonly FamilyState[] }): JSX.Element {
  return (
    <Table
      label="Families of models"
      rows={families}
      rowKey={family => family.name}
      columns={[
        { id: 'name', title: 'Family', cell: family => <Name text={family.name} /> },
        { id: 'tried', title: 'Tried', numeric: true, cell: family => grouped(family.tried) },
        { id: 'best', title: 'Best', numeric: true, cell: family => <Num value={family.best} /> },
        {
          id: 'out',
          title: 'Left out because',
          cell: family =>
            family.out ? <Name text={family.out} /> : <span className="jp-mls-quiet">{MISSING}</span>
        }
      ]}
    />
  );
}

export function ProgressTab({ automl, run }: RunProps & AutoMLProps): JSX.Element {
  const { report } = automl;
  const spec = useMemo(() => historySpec(automl), [automl]);
  const drawn = (spec.series[0]?.x.length ?? 0) > 0;
  return (
    <div className="jp-mls-AutoMLProgress">
      {drawn ? (
        <Plot spec={spec} height={300} redrawMs={1000} />
      ) : (
        <EmptyState>
          {isEnded(run.status) ? 'No model has a score.' : 'The curve begins with the first model.'}
        </EmptyState>
      )}
      <div className="jp-mls-AutoML-columns">
        <Section title="Families" note={report.families.length || undefined}>
          {report.families.length > 0 ? (
            <Families families={report.families} />
          ) : (
            <p className="jp-mls-quiet">None yet.</p>
          )}
        </Section>
        <Section title="Time">
          {report.budget ? (
            <Budget budget={report.budget} />
          ) : (
            <p className="jp-mls-quiet">Nothing is used yet.</p>
          )}
        </Section>
      </div>
    </div>
  );
}
