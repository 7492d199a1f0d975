/** Names and values on a card. */
import type { JSX } from 'react';
import { Name } from '../common';

export function Pairs({
  label,
  pairs,
  className,
  more = 0
}: {
  label: string;
  pairs: readonly (readonly [string, string])[];
  className: string;
  /** How many are not shown. */
  more?: number;
}): JSX.Element | null {
  return pairs.length === 0 ? null : (
    <div className={className} role="list" aria-label={label}>
      {pairs.map(([name, value]) => (
        <div key={name} role="listitem">
          <span className="jp-mls-Card-key">
            <Name text={name} />
          </span>
          <span className="jp-mls-Card-value">
            <Name text={value} />
          </span>
        </div>
      ))}
      {more > 0 && <div className="jp-mls-quiet">and {more} more</div>}
    </div>
  );
}
