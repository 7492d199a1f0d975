/** What an endpoint answered, a row at a time. */
import type { JSX } from 'react';

import { Name, formatNumber, formatPercent } from '../common';
import type { Scalar } from '../models/tensors';
import type { Prediction, Share } from './answer';

const SHOWN_CLASSES = 10;

function Bar({ label, probability }: Share): JSX.Element {
  const width = `${Math.max(0, Math.min(100, 100 * probability))}%`;
  return (
    <div className="jp-mls-Share">
      <Name text={label} />
      <span className="jp-mls-Share-track" aria-hidden="true">
        <span style={{ width }} />
      </span>
      <span className="jp-mls-Share-percent">{formatPercent(probability, 1)}</span>
    </div>
  );
}

function valueText(value: Scalar): string {
  return value === null ? 'NaN' : typeof value === 'number' ? formatNumber(value) : String(value);
}

function Row({ row, prediction }: { row: number; prediction: Prediction }): JSX.Element {
  const { label, shares, values } = prediction;
  return (
    <li>
      <div className="jp-mls-Prediction-head">
        <span className="jp-mls-quiet">Row {row + 1}</span>
        {label !== null && (
          <strong>
            <Name text={label} />
          </strong>
        )}
        {values.map(output => (
          <span key={output.name} title={output.values.map(String).join(', ')}>
            <Name text={output.name} /> <strong>{output.values.map(valueText).join(', ')}</strong>
          </span>
        ))}
      </div>
      {shares.slice(0, SHOWN_CLASSES).map(share => (
        <Bar key={share.label} {...share} />
      ))}
      {shares.length > SHOWN_CLASSES && (
        <span className="jp-mls-quiet">and {shares.length - SHOWN_CLASSES} less probable classes</span>
      )}
    </li>
  );
}

/** Labels with their probabilities as bars, or the values that the model answered. */
export function Predictions({ predictions }: { predictions: Prediction[] }): JSX.Element {
  return (
    <ol className="jp-mls-Predictions" aria-label="Answer">
      {predictions.map((prediction, row) => (
        <Row key={row} row={row} prediction={prediction} />
      ))}
    </ol>
  );
}
