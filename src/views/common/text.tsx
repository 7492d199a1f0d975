/** Names, times and numbers as elements. */
import type { JSX } from 'react';
import type { Real, RunStatus } from '../../api/types';
import { isLive } from '../../api/types';
import {
  MISSING,
  formatAbsolute,
  formatClock,
  formatDuration,
  formatNumber,
  formatRelative,
  shortened,
  visible
} from './format';
import { useNow } from './hooks';

/** Text that somebody typed: hidden characters made visible, cut by the layout, in full on hover. */
export function Name({ text, className = '' }: { text: string; className?: string }): JSX.Element {
  const shown = visible(text);
  return (
    <span className={`jp-mls-Name ${className}`} title={shortened(shown, 1000)} dir="auto">
      {shortened(shown, 300)}
    </span>
  );
}

/** A moment, relative, with the absolute one on hover. */
export function When({ at }: { at: string | null | undefined }): JSX.Element {
  const now = useNow(at ? 15_000 : null);
  return at ? (
    <time dateTime={at} title={formatAbsolute(at)}>
      {formatRelative(at, now)}
    </time>
  ) : (
    <span>{MISSING}</span>
  );
}

/** What is needed to tell how long a run took or takes. */
export interface Timed {
  status: RunStatus;
  started_at: string | null;
  ended_at: string | null;
  duration_s: number | null;
}

/** How long a run took; ticks by itself while the run is live. */
export function Elapsed({ run }: { run: Timed }): JSX.Element {
  const ticking = isLive(run.status) && run.started_at !== null;
  const now = useNow(ticking ? 1000 : null);
  if (ticking && run.started_at) {
    return <span className="jp-mls-Elapsed">{formatClock((now - Date.parse(run.started_at)) / 1000)}</span>;
  }
  return <span className="jp-mls-Elapsed">{formatDuration(run.duration_s)}</span>;
}

/** A number with four significant digits, all of them on hover. */
export function Num({ value }: { value: Real | null | undefined }): JSX.Element {
  return (
    <span className="jp-mls-Num" title={value === null || value === undefined ? undefined : String(value)}>
      {formatNumber(value)}
    </span>
  );
}
