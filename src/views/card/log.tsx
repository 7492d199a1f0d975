/** The last line of a run's output, which opens to its tail. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { type JSX, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { type Run, isEnded } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { ErrorBox, useResource } from '../common';
import { LogLine } from '../run/logs/line';
import { drawLines, plainText, splitLines } from '../run/logs/lines';

const TAIL_LINES = 200;

/** Follows the output of a live or failed run; that of a finished one is read when it is asked for. */
export function CardLog({ studio, run }: { studio: StudioModel; run: Run }): JSX.Element {
  const [open, setOpen] = useState(false);
  const follows = open || !isEnded(run.status) || run.status === 'Failed';
  const log = useResource(follows ? studio.log(run.id) : null);
  const body = useId();
  const lines = useMemo(() => {
    const all = splitLines(log?.value?.text ?? '');
    return drawLines(all.slice(-TAIL_LINES)).lines;
  }, [log?.value?.text]);
  const last = [...lines].reverse().find(line => plainText(line).trim() !== '');
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <div className="jp-mls-Card-log">
      <button
        type="button"
        className="jp-mls-Card-lastLine"
        aria-expanded={open}
        aria-controls={body}
        onClick={() => setOpen(!open)}
        title={open ? 'Close the log' : 'Show the end of the log'}
      >
        <Caret.react tag="span" aria-hidden="true" />
        {!open && last ? (
          <code>{plainText(last)}</code>
        ) : (
          <span>{open ? 'Log' : follows ? 'No output yet' : 'Log'}</span>
        )}
      </button>
      {open && (
        <div id={body}>
          {log?.error && (
            <ErrorBox what="The log could not be read" error={log.error} retry={() => log.refresh()} />
          )}
          <Tail lines={lines} />
        </div>
      )}
    </div>
  );
}

function Tail({ lines }: { lines: ReturnType<typeof drawLines>['lines'] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  useLayoutEffect(() => {
    if (box.current && follow.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [lines]);
  return (
    <div
      className="jp-mls-Card-tail"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="End of the log"
      onScroll={event => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        follow.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
    >
      {lines.length === 0 ? 'No output.' : lines.map((line, index) => <LogLine key={index} line={line} />)}
    </div>
  );
}
