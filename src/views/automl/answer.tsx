/** What the winner answers to one row, and how far each value moved the answer. */
import type { JSX } from 'react';
import { type RowExplanation, toNumber } from '../../api/types';
import { Name, Num, formatNumber, formatPercent, shortened, visible } from '../common';
import { Bars } from './bars';

function wordOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number'
      ? formatNumber(value)
      : JSON.stringify(value ?? null);
}

/** `effectsOnly` leaves out the answer itself, where it stands already. */
export function RowAnswer({
  answer,
  effectsOnly
}: {
  answer: RowExplanation;
  effectsOnly?: boolean;
}): JSX.Element {
  const { contributions, probabilities, of } = answer;
  return (
    <>
      {!effectsOnly && (
        <p className="jp-mls-OneRow-answer" role="status">
          <strong>{shortened(visible(wordOf(answer.prediction)), 80)}</strong>
          {Object.entries(probabilities).map(([label, value]) => (
            <span key={label} className="jp-mls-quiet">
              <Name text={label} /> {formatPercent(toNumber(value), 1)}
            </span>
          ))}
        </p>
      )}
      {contributions.length > 0 && (
        <>
          <p className="jp-mls-quiet">
            From {formatNumber(answer.base)}, the answer for a row on average
            {of && `, for ${shortened(visible(of), 40)}`}: how far each value moved it.
          </p>
          <Bars
            label="How far each value moved the answer"
            bars={contributions.map(one => ({
              name: one.column,
              value: toNumber(one.effect),
              spread: 0,
              note: wordOf(one.value)
            }))}
          />
        </>
      )}
      {answer.note && <p className="jp-mls-quiet">{visible(answer.note)}</p>}
      {contributions.length === 0 && Object.keys(probabilities).length === 0 && <Num value={null} />}
    </>
  );
}
