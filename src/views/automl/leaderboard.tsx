/** The leaderboard: every model that was tried, the best first, those that failed last. */
import { Fragment, type JSX, useMemo, useState } from 'react';
import { type AutoMLReport, type Candidate, isEnded, toNumber } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Button,
  CommandButton,
  CommandLink,
  EmptyState,
  MISSING,
  Name,
  Num,
  StatusBadge,
  formatBytes,
  formatMillis,
  formatNumber,
  formatPercent,
  grouped,
  pinIcon,
  shortened,
  visible
} from '../common';
import type { RunProps } from '../run/header';
import {
  type AutoMLProps,
  membersOf,
  metricOf,
  placeOf,
  scaleOf,
  stageWord,
  stateOf,
  whyNotFirst
} from './board';
import { OnnxMark } from './onnx';

/** More rows than this are shown on request. */
const FIRST = 100;

type Scale = readonly [number, number] | null;

/** The score, and its interval as a bar on a scale that all rows share. */
function Score({ candidate, scale }: { candidate: Candidate; scale: Scale }): JSX.Element {
  const score = toNumber(candidate.score);
  const [low, high] = [toNumber(candidate.low), toNumber(candidate.high)];
  const known = Number.isFinite(low) && Number.isFinite(high);
  const text = known ? `${formatNumber(low)} to ${formatNumber(high)} with 95 % confidence` : '';
  return (
    <span className="jp-mls-Score" title={text || undefined}>
      <Num value={candidate.score} />
      {scale && Number.isFinite(score) && (
        <span className="jp-mls-Score-bar" aria-hidden="true">
          {known && (
            <span
              className="jp-mls-Score-interval"
              style={{
                left: `${placeOf(low, scale) * 100}%`,
                right: `${(1 - placeOf(high, scale)) * 100}%`
              }}
            />
          )}
          <span className="jp-mls-Score-dot" style={{ left: `${placeOf(score, scale) * 100}%` }} />
        </span>
      )}
      {text && <span className="jp-mls-hidden">{text}</span>}
    </span>
  );
}

function paramsText(candidate: Candidate): string {
  return Object.entries(candidate.params)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : JSON.stringify(value)}`
    )
    .join(' · ');
}

function Members({
  candidate,
  report,
  execute
}: {
  candidate: Candidate;
  report: AutoMLReport;
  execute: Execute;
}): JSX.Element {
  return (
    <ul className="jp-mls-Members" aria-label={`Members of ${visible(candidate.family)}`}>
      {membersOf(candidate, report).map(({ member, name, weight }, index) => (
        <li key={index}>
          <span className="jp-mls-Members-bar" aria-hidden="true">
            <span style={{ width: `${Math.min(1, Math.max(0, weight)) * 100}%` }} />
          </span>
          <span className="jp-mls-Num">{formatPercent(weight)}</span>
          {member?.run_id ? (
            <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: member.run_id }}>
              {shortened(visible(name), 60)}
            </CommandLink>
          ) : (
            <Name text={name} />
          )}
          {member && (
            <span className="jp-mls-quiet">
              model {member.number}, {formatNumber(member.score)}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

interface RowProps extends RunProps, AutoMLProps {
  candidate: Candidate;
  rank: number | null;
  scale: Scale;
}

function CandidateRow({ candidate, rank, scale, automl, run, execute }: RowProps): JSX.Element {
  const { report } = automl;
  const [open, setOpen] = useState(false);
  const state = stateOf(candidate, run);
  const members = Object.keys(candidate.weights).length;
  const winner = candidate.number === report.winner;
  return (
    <Fragment>
      <tr className={winner ? 'jp-mls-mod-winner' : ''} data-state={state} data-number={candidate.number}>
        <td className="jp-mls-mod-numeric jp-mls-quiet">{rank ?? ''}</td>
        <td>
          <span className="jp-mls-Inline">
            {winner && (
              <span title="The run's model" className="jp-mls-Best">
                <pinIcon.react tag="span" className="jp-mls-Status-icon" aria-hidden="true" />
                <span className="jp-mls-hidden">winner</span>
              </span>
            )}
            {candidate.run_id ? (
              <CommandLink
                execute={execute}
                command={CommandIDs.openRun}
                args={{ id: candidate.run_id }}
                title={shortened(visible(paramsText(candidate)), 600) || 'Open the run of this model'}
              >
                {shortened(visible(candidate.family), 60)}
              </CommandLink>
            ) : (
              <Name text={candidate.family} />
            )}
            {members > 0 && (
              <Button minimal aria-expanded={open} onClick={() => setOpen(!open)}>
                {members} {members === 1 ? 'member' : 'members'}
              </Button>
            )}
          </span>
        </td>
        <td>
          {state === 'failed' || state === 'given up' ? (
            <span className="jp-mls-Inline" title={shortened(visible(candidate.failed), 1000)}>
              <StatusBadge status={state === 'failed' ? 'Failed' : 'Canceled'} />
              <span className="jp-mls-Leaderboard-reason">{shortened(visible(candidate.failed), 200)}</span>
            </span>
          ) : state === 'live' ? (
            <StatusBadge status="Running" />
          ) : state === 'ended' ? (
            <StatusBadge status="Canceled" />
          ) : (
            <Score candidate={candidate} scale={scale} />
          )}
        </td>
        <td className="jp-mls-quiet">
          {stageWord(candidate.stage)}
          {candidate.rows > 0 && report.rows > 0 && candidate.rows < report.rows * 0.75 && (
            <span title="It was looked at on a part of the rows only">, {grouped(candidate.rows)} rows</span>
          )}
        </td>
        <td className="jp-mls-mod-numeric">
          {candidate.fit_s > 0 ? formatMillis(candidate.fit_s * 1000) : MISSING}
        </td>
        <td className="jp-mls-mod-numeric">
          {candidate.predict_ms > 0 ? formatMillis(candidate.predict_ms) : MISSING}
        </td>
        <td className="jp-mls-mod-numeric">
          {candidate.size_bytes > 0 ? formatBytes(candidate.size_bytes) : MISSING}
        </td>
        <td>
          <OnnxMark
            check={candidate.onnx}
            late={state === 'done' && automl.spec.training.enable_onnx_compatible_models}
          />
        </td>
        <td>
          {state === 'done' && (
            <CommandButton
              minimal
              execute={execute}
              command={CommandIDs.automlNotebook}
              args={{ id: run.id, number: candidate.number }}
              title={
                winner
                  ? 'A notebook that makes the winner again from the data'
                  : 'A notebook that fits this model on all rows of the data'
              }
            >
              Open as notebook
            </CommandButton>
          )}
        </td>
      </tr>
      {open && members > 0 && (
        <tr>
          <td />
          <td colSpan={8}>
            <Members candidate={candidate} report={report} execute={execute} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

export function Leaderboard(props: RunProps & AutoMLProps): JSX.Element {
  const { automl, run } = props;
  const { report } = automl;
  const [all, setAll] = useState(false);
  const scale = useMemo(() => scaleOf(report), [report]);
  const rows = all ? report.leaderboard : report.leaderboard.slice(0, FIRST);
  if (report.leaderboard.length === 0) {
    return (
      <EmptyState>
        {isEnded(run.status)
          ? 'No model was tried. The tabs Data and Logs say why.'
          : 'The first models come in once the table has been looked at.'}
      </EmptyState>
    );
  }
  const why = whyNotFirst(report);
  let place = 0;
  return (
    <div className="jp-mls-Leaderboard">
      {why && <p className="jp-mls-quiet">{why}</p>}
      <div className="jp-mls-TableBox">
        <table className="jp-mls-Table" aria-label="Leaderboard">
          <thead>
            <tr>
              <th scope="col" className="jp-mls-mod-numeric">
                #
              </th>
              <th scope="col">Model</th>
              <th scope="col" title="Over the folds, with its 95 % interval">
                <Name text={metricOf(automl)} />
                <span className="jp-mls-quiet">
                  {report.goal === 'minimize' ? ', less is better' : ', more is better'}
                </span>
              </th>
              <th scope="col">Came by</th>
              <th scope="col" className="jp-mls-mod-numeric" title="Fitting on all folds">
                Fit
              </th>
              <th scope="col" className="jp-mls-mod-numeric" title="Predicting 1,000 rows">
                1,000 rows
              </th>
              <th scope="col" className="jp-mls-mod-numeric">
                Size
              </th>
              <th
                scope="col"
                title="Whether the ONNX form answers the same on rows that it was not fitted on, and the largest difference"
              >
                ONNX
              </th>
              <th scope="col">
                <span className="jp-mls-hidden">Notebook</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(candidate => (
              <CandidateRow
                key={candidate.number}
                {...props}
                candidate={candidate}
                scale={scale}
                rank={stateOf(candidate, run) === 'done' ? ++place : null}
              />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length < report.leaderboard.length && (
        <Button minimal onClick={() => setAll(true)}>
          Show all {grouped(report.leaderboard.length)} models
        </Button>
      )}
    </div>
  );
}
