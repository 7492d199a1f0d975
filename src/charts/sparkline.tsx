import type { JSX } from 'react';

import { extent, finiteValues } from './series';
import type { WireValue } from './series';
import { formatNumber } from '../text';

export interface ISparklineProps {
  values: readonly (WireValue | null)[];
  width?: number;
  height?: number;
  color?: string;
  /** What the line shows, for screen readers. */
  label?: string;
}

interface IPoint {
  x: number;
  y: number;
}

/** Splits the line where values are missing, so that a gap is seen as one. */
export function sparklineRuns(values: readonly (number | null)[], width: number, height: number): IPoint[][] {
  const span = extent(values);
  if (!span) {
    return [];
  }
  const [low, high] = span;
  const pad = 2;
  const runs: IPoint[][] = [];
  let open = false;
  values.forEach((value, index) => {
    if (value === null) {
      open = false;
      return;
    }
    const x = pad + ((width - 2 * pad) * index) / Math.max(1, values.length - 1);
    const share = high === low ? 0.5 : (value - low) / (high - low);
    const point = { x, y: height - pad - share * (height - 2 * pad) };
    if (open) {
      runs.at(-1)!.push(point);
    } else {
      runs.push([point]);
    }
    open = true;
  });
  return runs;
}

/** A word-sized line of a metric, in plain SVG. */
export function Sparkline(props: ISparklineProps): JSX.Element {
  const { width = 72, height = 18, color = 'var(--jp-brand-color1)' } = props;
  const { values } = finiteValues(props.values);
  const runs = sparklineRuns(values, width, height);
  const last = runs.at(-1)?.at(-1);
  const span = extent(values);
  const told = span ? `from ${formatNumber(span[0])} to ${formatNumber(span[1])}` : 'no values';
  return (
    <svg
      className="jp-mls-Sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${props.label ?? 'trend'}: ${told}`}
    >
      {runs.map((run, index) => (
        <polyline
          key={index}
          points={run.map(point => `${point.x.toFixed(1)},${point.y.toFixed(1)}`).join(' ')}
          fill="none"
          stroke={color}
          strokeWidth={1.5}
          strokeLinejoin="round"
          strokeLinecap="round"
        />
      ))}
      {last && <circle cx={last.x} cy={last.y} r={1.8} fill={color} />}
    </svg>
  );
}
