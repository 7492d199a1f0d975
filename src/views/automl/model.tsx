/** The run's model: how it is made, how good it is on rows that nobody looked at, its ONNX form. */
import type { JSX } from 'react';
import { type Candidate, type Real, isEnded } from '../../api/types';
import { CommandIDs } from '../../tokens';
import {
  CommandLink,
  EmptyState,
  KeyValueTable,
  Num,
  formatBytes,
  formatMillis,
  formatNumber,
  shortened,
  visible,
  Section
} from '../common';
import type { RunProps } from '../run/header';
import { type AutoMLProps, leaderOf, stageWord } from './board';
import { Diagram } from './diagram';
import { onnxText } from './onnx';

function metricRows(metrics: Readonly<Record<string, Real>>): [string, JSX.Element][] {
  return Object.entries(metrics).map(([name, value]) => [name, <Num key={name} value={value} />]);
}

function paramRows(params: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(params).map(([name, value]) => [
    name,
    typeof value === 'number'
      ? formatNumber(value)
      : typeof value === 'string'
        ? value
        : shortened(JSON.stringify(value), 300)
  ]);
}

function factRows(winner: Candidate): [string, string][] {
  return [
    ['came by', stageWord(winner.stage)],
    ...(winner.folds.length > 0
      ? [['score of each fold', winner.folds.map(one => formatNumber(one)).join(', ')] as [string, string]]
      : []),
    ['fitted in', formatMillis(winner.fit_s * 1000)],
    ['1,000 rows in', formatMillis(winner.predict_ms)],
    ['size', formatBytes(winner.size_bytes)],
    ...(winner.onnx ? [['ONNX', onnxText(winner.onnx)] as [string, string]] : [])
  ];
}

/** What came as HTML is shown in a frame of its own, where no script runs and nothing is fetched. */
function framed(html: string): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}"><meta charset="utf-8"><style>:root{color-scheme:light}body{background:#fff;font-family:sans-serif;font-size:13px;margin:8px}</style>${html}`;
}

export function ModelTab({ automl, run, execute }: RunProps & AutoMLProps): JSX.Element {
  const { report } = automl;
  const winner = leaderOf(report);
  if (!winner) {
    return (
      <EmptyState>
        {isEnded(run.status)
          ? 'There is no model.'
          : 'The best model so far is drawn here once there is one.'}
      </EmptyState>
    );
  }
  const ensemble = Object.keys(winner.weights).length > 0 && Object.keys(winner.params).length === 0;
  return (
    <div className="jp-mls-AutoMLModel">
      <Section title={report.winner === null ? 'The best so far' : 'How it is made'}>
        <Diagram report={report} winner={winner} target={automl.spec.target} />
        {report.diagram && (
          <details className="jp-mls-AutoML-head">
            <summary>As scikit-learn draws it</summary>
            <iframe
              className="jp-mls-AutoML-frame"
              title="The model as scikit-learn draws it"
              sandbox=""
              referrerPolicy="no-referrer"
              srcDoc={framed(report.diagram)}
            />
          </details>
        )}
      </Section>
      <div className="jp-mls-AutoML-columns">
        <div>
          {Object.keys(report.test).length > 0 && (
            <Section title="On the test rows">
              <KeyValueTable label="Test metrics" rows={metricRows(report.test)} />
            </Section>
          )}
          <Section title="Over the folds">
            <KeyValueTable
              label="Metrics over the folds"
              rows={metricRows(winner.metrics)}
              empty="No other metrics were kept."
            />
          </Section>
        </div>
        <div>
          <Section title="Facts">
            <KeyValueTable label="Facts" rows={factRows(winner)} execute={execute} />
            {winner.run_id && (
              <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: winner.run_id }}>
                Open the run of {shortened(visible(winner.family), 40)}
              </CommandLink>
            )}
          </Section>
          {!ensemble && (
            <Section title="Parameters">
              <KeyValueTable
                label="Parameters"
                rows={paramRows(winner.params)}
                execute={execute}
                empty="The library's own."
              />
            </Section>
          )}
        </div>
      </div>
    </div>
  );
}
