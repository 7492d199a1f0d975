/** What is best below a run: its value, with the interval that holds it, and what can be done with it. */
import type { JSX, ReactNode } from 'react';
import type { Real } from '../../api/types';
import { Name, Num, formatNumber, pinIcon } from '../common';

export function Best({
  label,
  metric,
  value,
  low,
  high,
  children
}: {
  label: string;
  metric: string;
  value: Real | null | undefined;
  low: Real | null;
  high: Real | null;
  children: ReactNode;
}): JSX.Element {
  return (
    <div className="jp-mls-SweepHead-best" role="group" aria-label={label}>
      <pinIcon.react tag="span" className="jp-mls-Best" aria-hidden="true" />
      <span className="jp-mls-SweepHead-value">
        <Name text={metric} />{' '}
        <strong>
          <Num value={value} />
        </strong>
        {low !== null && high !== null && (
          <span className="jp-mls-quiet" title="Holds the value with 95 % confidence">
            {' '}
            {formatNumber(low)} to {formatNumber(high)}
          </span>
        )}
      </span>
      {children}
    </div>
  );
}
