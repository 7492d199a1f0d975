/** Why a run ended otherwise than well. */
import type { JSX } from 'react';
import { Notice, visible, useResource } from '../../common';
import type { RunProps } from '../header';
import { drawLines, splitLines } from '../logs/lines';
import { LogLine } from '../logs/line';

const LAST_LINES = 12;

function LastLines({ studio, run }: RunProps): JSX.Element | null {
  const log = useResource(studio.log(run.id)).value;
  const lines = drawLines(splitLines(log?.text ?? '').slice(-LAST_LINES)).lines;
  if (lines.length === 0) {
    return null;
  }
  return (
    <pre className="jp-mls-LastLines" aria-label="Last lines of the output" tabIndex={0}>
      {lines.map((line, index) => (
        <LogLine key={index} line={line} />
      ))}
    </pre>
  );
}

/** A failed run says why in words, with the last lines of its output. */
export function Ending(props: RunProps): JSX.Element | null {
  const { run } = props;
  if (run.status === 'Failed') {
    const exit = run.exit_code === null ? '' : ` (exit code ${run.exit_code})`;
    return (
      <div className="jp-mls-Notice jp-mls-mod-bad jp-mls-Ending" role="alert">
        <div className="jp-mls-Notice-text">
          <strong>This run failed{exit}</strong>
          <span className="jp-mls-Reason">{visible(run.reason || 'No reason was reported.')}</span>
        </div>
        <LastLines {...props} />
      </div>
    );
  }
  if (run.status === 'NotResponding') {
    return (
      <Notice>
        The run has not been heard of for a while. It is marked as failed if its process is gone.
      </Notice>
    );
  }
  return run.status === 'Canceled' ? (
    <Notice tone="info">{visible(run.reason || 'This run was stopped.')}</Notice>
  ) : null;
}
