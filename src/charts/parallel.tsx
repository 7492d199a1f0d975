/** Parallel coordinates in plain SVG: one line a run, one axis a parameter or metric. */
import { type JSX, useState } from 'react';

import { formatNumber, shortened, visible } from '../text';

export interface IParallelColumn {
  name: string;
  /** One value a line; null where there is none. */
  values: readonly (number | string | null)[];
}

export interface IParallelLine {
  name: string;
  color: string;
}

export interface IParallelAxis {
  name: string;
  /** Where each line crosses, 0 at the bottom to 1 at the top; null for no value. */
  places: (number | null)[];
  ticks: { place: number; text: string }[];
}

/** Places values on an axis: numbers by size, anything else by the alphabet at even distances. */
export function parallelAxis(column: IParallelColumn): IParallelAxis {
  const present = column.values.filter(value => value !== null);
  if (
    present.length > 0 &&
    present.every((value): value is number => typeof value === 'number' && Number.isFinite(value))
  ) {
    const low = Math.min(...present);
    const high = Math.max(...present);
    const place = (value: number): number => (high === low ? 0.5 : (value - low) / (high - low));
    const marks = high === low ? [low] : [low, (low + high) / 2, high];
    return {
      name: column.name,
      places: column.values.map(value => (typeof value === 'number' ? place(value) : null)),
      ticks: marks.map(value => ({ place: place(value), text: formatNumber(value) }))
    };
  }
  const words = [...new Set(present.map(String))].sort((a, b) =>
    a.localeCompare(b, undefined, { numeric: true })
  );
  const at = (word: string): number => (words.length === 1 ? 0.5 : words.indexOf(word) / (words.length - 1));
  return {
    name: column.name,
    places: column.values.map(value => (value === null ? null : at(String(value)))),
    ticks: words.slice(0, 12).map(word => ({ place: at(word), text: shortened(visible(word), 14) }))
  };
}

const AXIS_PX = 150;
const HEIGHT_PX = 300;
const TOP_PX = 34;
const SIDE_PX = 60;

/** Splits a line where a value is missing. */
function pathOf(axes: readonly IParallelAxis[], line: number): string {
  let pen = 'M';
  return axes
    .map((axis, index) => {
      const place = axis.places[line] ?? null;
      if (place === null) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${SIDE_PX + index * AXIS_PX},${TOP_PX + (1 - place) * (HEIGHT_PX - TOP_PX - 20)}`;
      pen = 'L';
      return step;
    })
    .join('');
}

export function Parallel({
  columns,
  lines
}: {
  columns: readonly IParallelColumn[];
  lines: readonly IParallelLine[];
}): JSX.Element {
  const [lit, setLit] = useState<number | null>(null);
  const axes = columns.map(parallelAxis);
  const width = 2 * SIDE_PX + Math.max(0, axes.length - 1) * AXIS_PX;
  return (
    <div className="jp-mls-Parallel" tabIndex={0} role="region" aria-label="Parallel coordinates">
      <svg
        width={width}
        height={HEIGHT_PX}
        viewBox={`0 0 ${width} ${HEIGHT_PX}`}
        role="img"
        aria-label={`${lines.length} runs over ${axes.length} axes; the difference table has the same numbers`}
      >
        {axes.map((axis, index) => (
          <g key={axis.name} transform={`translate(${SIDE_PX + index * AXIS_PX},0)`}>
            <line y1={TOP_PX} y2={HEIGHT_PX - 20} className="jp-mls-Parallel-axis" />
            <text y={14} textAnchor="middle" className="jp-mls-Parallel-name">
              <title>{visible(axis.name)}</title>
              {shortened(visible(axis.name), 20)}
            </text>
          </g>
        ))}
        {lines.map((line, index) => (
          <path
            key={index}
            d={pathOf(axes, index)}
            fill="none"
            stroke={line.color}
            strokeWidth={lit === index ? 3 : 1.5}
            opacity={lit === null || lit === index ? 1 : 0.2}
            onPointerEnter={() => setLit(index)}
            onPointerLeave={() => setLit(null)}
          >
            <title>{visible(line.name)}</title>
          </path>
        ))}
        {/* After the lines, so that the numbers can be read. */}
        {axes.map((axis, index) => (
          <g key={axis.name} transform={`translate(${SIDE_PX + index * AXIS_PX},0)`}>
            {axis.ticks.map(tick => (
              <text
                key={tick.text}
                x={6}
                y={TOP_PX + (1 - tick.place) * (HEIGHT_PX - TOP_PX - 20) + 3}
                className="jp-mls-Parallel-tick"
              >
                {tick.text}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}
