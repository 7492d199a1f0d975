import type { JSX } from 'react';

import { colorOf } from './palette';
import { formatNumber, visible } from '../text';

export interface IMiniCurve {
  label: string;
  fpr: readonly number[];
  tpr: readonly number[];
  auc: number;
}

const PAD = 1;

function pathOf(curve: IMiniCurve, size: number): string {
  const inner = size - 2 * PAD;
  return curve.fpr
    .map((x, i) => `${(PAD + x * inner).toFixed(1)},${(PAD + (1 - (curve.tpr[i] ?? 0)) * inner).toFixed(1)}`)
    .join(' ');
}

/** A ROC curve of the size of a stamp, for the card under a cell. */
export function MiniRoc({
  curves,
  size = 64
}: {
  curves: readonly IMiniCurve[];
  size?: number;
}): JSX.Element {
  const shown = curves.slice(0, 6);
  const told = shown.map(curve => `${visible(curve.label)} AUC ${formatNumber(curve.auc)}`).join(', ');
  return (
    <svg
      className="jp-mls-MiniRoc"
      width={size}
      height={size}
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={`ROC curve: ${told}`}
    >
      <rect
        x={PAD}
        y={PAD}
        width={size - 2 * PAD}
        height={size - 2 * PAD}
        fill="none"
        stroke="var(--jp-border-color2)"
      />
      <line
        x1={PAD}
        y1={size - PAD}
        x2={size - PAD}
        y2={PAD}
        stroke="var(--jp-border-color1)"
        strokeDasharray="2 2"
      />
      {shown.map((curve, index) => (
        <polyline
          key={index}
          points={pathOf(curve, size)}
          fill="none"
          stroke={colorOf(index)}
          strokeWidth={1.5}
        />
      ))}
    </svg>
  );
}

export interface IMiniConfusionProps {
  labels: readonly string[];
  matrix: readonly (readonly number[])[];
  size?: number;
}

/** A confusion matrix of the size of a stamp: each row's shares as shades. */
export function MiniConfusion({ labels, matrix, size = 64 }: IMiniConfusionProps): JSX.Element {
  const count = Math.max(1, matrix.length);
  const step = size / count;
  const total = matrix.flat().reduce((sum, cell) => sum + cell, 0);
  const right = matrix.reduce((sum, row, index) => sum + (row[index] ?? 0), 0);
  const told = `${right} of ${total} right over ${labels.length} classes`;
  return (
    <svg
      className="jp-mls-MiniConfusion"
      width={size}
      height={size}
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={`Confusion matrix: ${told}`}
    >
      {matrix.map((row, y) => {
        const sum = row.reduce((all, cell) => all + cell, 0) || 1;
        return row.map((cell, x) => (
          <g key={`${y}-${x}`}>
            <rect
              x={x * step + 0.5}
              y={y * step + 0.5}
              width={Math.max(0.5, step - 1)}
              height={Math.max(0.5, step - 1)}
              fill={x === y ? colorOf(0) : colorOf(3)}
              fillOpacity={0.08 + 0.82 * (cell / sum)}
            />
            {step >= 24 && (
              <text
                x={(x + 0.5) * step}
                y={(y + 0.5) * step}
                textAnchor="middle"
                dominantBaseline="central"
                fontSize={10}
                fill={cell / sum > 0.5 ? '#fff' : 'var(--jp-ui-font-color1)'}
              >
                {cell}
              </text>
            )}
          </g>
        ));
      })}
    </svg>
  );
}
