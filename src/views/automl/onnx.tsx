/** Whether a model's ONNX form answers the same as the model. */
import type { JSX } from 'react';
import { type OnnxCheck, type Real, toNumber } from '../../api/types';
import {
  MISSING,
  doneIcon,
  failedIcon,
  formatBytes,
  formatNumber,
  grouped,
  shortened,
  visible
} from '../common';

/** Two digits say how large a difference is. */
function brief(value: Real): string {
  return formatNumber(Number(toNumber(value).toPrecision(2)));
}

/** A model that is ready has other labels only where it was undecided itself. */
function otherLabels(flips: number): string {
  const counted = `${grouped(flips)} other ${flips === 1 ? 'label' : 'labels'}`;
  return flips > 0 ? `${counted} where the model finds two of them equally likely` : counted;
}

/** All that was compared, for a hover. */
export function onnxText(check: OnnxCheck): string {
  if (!check.ready) {
    return visible(check.reason || 'It could not be converted.');
  }
  const speedup = toNumber(check.speedup);
  return [
    `Compared on ${grouped(check.rows)} rows`,
    check.label_flips === null ? '' : otherLabels(check.label_flips),
    check.max_abs_difference === null ? '' : `largest difference ${brief(check.max_abs_difference)}`,
    Number.isFinite(speedup)
      ? `${formatNumber(Number(speedup.toPrecision(2)))} times as fast for one row`
      : '',
    check.size_bytes > 0 ? formatBytes(check.size_bytes) : ''
  ]
    .filter(Boolean)
    .join(', ');
}

/** The mark of a model; `late` is one that is there, but whose turn to be compared did not come. */
export function OnnxMark({ check, late = false }: { check: OnnxCheck | null; late?: boolean }): JSX.Element {
  if (!check) {
    return late ? (
      <span className="jp-mls-quiet" title="There was no time to compare its ONNX form with it">
        not checked
      </span>
    ) : (
      <span className="jp-mls-quiet">{MISSING}</span>
    );
  }
  const Icon = check.ready ? doneIcon : failedIcon;
  const flips = check.label_flips ?? 0;
  const word = !check.ready
    ? shortened(visible(check.reason || 'not convertible'), 60)
    : flips > 0
      ? `${grouped(flips)} ${flips === 1 ? 'tie differs' : 'ties differ'}`
      : 'ONNX the same';
  return (
    <span
      className={`jp-mls-Status jp-mls-OnnxMark jp-mls-mod-${check.ready ? 'done' : 'bad'}`}
      title={onnxText(check)}
    >
      <Icon.react tag="span" className="jp-mls-Status-icon" aria-hidden="true" />
      <span className="jp-mls-Status-word">{word}</span>
      {check.ready && check.max_abs_difference !== null && (
        <span className="jp-mls-quiet">± {brief(check.max_abs_difference)}</span>
      )}
    </span>
  );
}
