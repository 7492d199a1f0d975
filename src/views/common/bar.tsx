/** A share of a whole as a bar. */
import type { JSX } from 'react';

/** A thin bar that shows a share of a whole; `label` is read out. */
export function ThinBar({
  share,
  label,
  tone = 'live'
}: {
  share: number;
  label: string;
  tone?: 'live' | 'warn' | 'bad';
}): JSX.Element {
  const percent = Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * 100);
  return (
    <div
      className={`jp-mls-Bar jp-mls-mod-${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      title={label}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}
