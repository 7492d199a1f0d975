/** What an endpoint answered, a row at a time. */

import type { ReactElement } from 'react';

import type { Prediction, Share } from './answer';

const SHOWN_CLASSES = 10;

function percentText(probability: number): string {
  const percent = 100 * probability;
  return Number.isFinite(percent) ? `${percent.toFixed(percent < 10 ? 2 : 1)} %` : String(probability);
}

function Bar({ share }: { share: Share }): ReactElement {
  const width = `${Math.max(0, Math.min(100, 100 * share.probability))}%`;
  return (
    <div className="jp-mlstudio-share">
      <span className="jp-mlstudio-share-label" title={share.label}>
        {share.label}
      </span>
      <span className="jp-mlstudio-share-track" aria-hidden="true">
        <span style={{ width }} />
      </span>
      <span className="jp-mlstudio-number">{percentText(share.probability)}</span>
    </div>
  );
}

function PredictionRow({ row, prediction }: { row: number; prediction: Prediction }): ReactElement {
  const { label, shares, values } = prediction;
  return (
    <li className="jp-mlstudio-prediction">
      <span className="jp-mlstudio-quiet">Row {row + 1}</span>
      {label !== null && <strong className="jp-mlstudio-label">{label}</strong>}
      {values.map(output => (
        <span key={output.name} className="jp-mlstudio-number">
          {output.name} <strong>{output.values.map(String).join(', ')}</strong>
        </span>
      ))}
      {shares.slice(0, SHOWN_CLASSES).map(share => (
        <Bar key={share.label} share={share} />
      ))}
      {shares.length > SHOWN_CLASSES && (
        <span className="jp-mlstudio-quiet">and {shares.length - SHOWN_CLASSES} less probable classes</span>
      )}
    </li>
  );
}

/** Labels with their probabilities as bars, or the values that the model answered. */
export function Predictions({ predictions }: { predictions: Prediction[] }): ReactElement {
  return (
    <ol className="jp-mlstudio-predictions" aria-label="Answer">
      {predictions.map((prediction, row) => (
        <PredictionRow key={row} row={row} prediction={prediction} />
      ))}
    </ol>
  );
}
