/** Names, numbers, and bars from a common zero. */
import { type JSX, useState } from 'react';
import { Button, Name, formatNumber, grouped } from '../common';

const FIRST = 20;

export interface Bar {
  name: string;
  value: number;
  /** Half the width of the whisker. */
  spread: number;
  /** What stands behind the name. */
  note?: string;
}

export function Bars({
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
  const high = Math.max(0, ...bars.map(one => one.value + one.spread));
  const low = Math.min(0, ...bars.map(one => one.value - one.spread));
  const at = (value: number): number => Math.min(100, Math.max(0, ((value - low) / (high - low || 1)) * 100));
  const between = (from: number, to: number): { left: string; width: string } => ({
    left: `${at(from)}%`,
    width: `${at(to) - at(from)}%`
  });
  return (
    <>
      <table className="jp-mls-Bars" aria-label={label}>
        <tbody>
          {shown.map(({ name, value, spread, note }) => (
            <tr key={name} aria-current={name === selected ? 'true' : undefined}>
              <th scope="row">
                {onSelect ? (
                  <button type="button" className="jp-mls-Link" onClick={() => onSelect(name)}>
                    <Name text={name} />
                  </button>
                ) : (
                  <Name text={note === undefined ? name : `${name} = ${note}`} />
                )}
              </th>
              <td className="jp-mls-Bars-box" aria-hidden="true">
                <span
                  className={`jp-mls-Bars-bar ${value < 0 ? 'jp-mls-mod-less' : ''}`}
                  style={between(Math.min(0, value), Math.max(0, value))}
                />
                {spread > 0 && (
                  <span className="jp-mls-Bars-whisker" style={between(value - spread, value + spread)} />
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
