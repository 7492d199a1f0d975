/** One row: what the winner answers, and how far each value moved the answer. */
import { type JSX, useId, useState } from 'react';
import { type RowExplanation, type TableColumn, toNumber } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, ErrorBox, Name, Num, formatNumber, formatPercent, shortened, visible } from '../common';
import { Bars } from './bars';

const FIRST = 12;

interface Answer {
  answer?: RowExplanation;
  error?: { code: string; message: string; status: number };
}

/** A value as it is sent: a number where the column has numbers, nothing where the field is empty. */
export function valueOf(column: TableColumn, text: string): unknown {
  if (text === '') {
    return null;
  }
  const number = Number(text);
  if (column.role === 'numeric' && Number.isFinite(number)) {
    return number;
  }
  return column.type.startsWith('bool') ? /^(true|1|yes)$/i.test(text) : text;
}

function wordOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number'
      ? formatNumber(value)
      : JSON.stringify(value ?? null);
}

function Why({ answer }: { answer: RowExplanation }): JSX.Element {
  const { contributions, probabilities, of } = answer;
  return (
    <>
      <p className="jp-mls-OneRow-answer" role="status">
        <strong>{shortened(visible(wordOf(answer.prediction)), 80)}</strong>
        {Object.entries(probabilities).map(([label, value]) => (
          <span key={label} className="jp-mls-quiet">
            <Name text={label} /> {formatPercent(toNumber(value), 1)}
          </span>
        ))}
      </p>
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

export function OneRow({
  runId,
  columns,
  execute
}: {
  runId: string;
  columns: readonly TableColumn[];
  execute: Execute;
}): JSX.Element {
  const id = useId();
  const [texts, setTexts] = useState<Record<string, string>>(() =>
    Object.fromEntries(columns.map(column => [column.name, column.examples[0] ?? '']))
  );
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Answer>({});
  const ask = async (): Promise<void> => {
    setBusy(true);
    const row = Object.fromEntries(
      columns.map(column => [column.name, valueOf(column, texts[column.name] ?? '')])
    );
    setFound(((await execute(CommandIDs.explainRow, { id: runId, row: row as never })) as Answer) ?? {});
    setBusy(false);
  };
  const shown = all ? columns : columns.slice(0, FIRST);
  return (
    <form
      className="jp-mls-OneRow"
      onSubmit={event => {
        event.preventDefault();
        void ask();
      }}
    >
      <div className="jp-mls-OneRow-fields">
        {shown.map((column, index) => (
          <div key={column.name} className="jp-mls-OneRow-field">
            <label htmlFor={`${id}-${index}`}>
              <Name text={column.name} />
            </label>
            <input
              id={`${id}-${index}`}
              className="jp-mls-Input"
              value={texts[column.name] ?? ''}
              list={column.examples.length > 1 ? `${id}-${index}-examples` : undefined}
              placeholder="missing"
              autoComplete="off"
              spellCheck={false}
              onChange={event => setTexts({ ...texts, [column.name]: event.target.value })}
            />
            {column.examples.length > 1 && (
              <datalist id={`${id}-${index}-examples`}>
                {column.examples.map(example => (
                  <option key={example} value={example} />
                ))}
              </datalist>
            )}
          </div>
        ))}
      </div>
      <div className="jp-mls-Toolbar">
        <Button type="submit" primary disabled={busy} data-command={CommandIDs.explainRow}>
          {busy ? 'Asking' : 'Ask and explain'}
        </Button>
        {shown.length < columns.length && (
          <Button minimal onClick={() => setAll(true)}>
            Show all {columns.length} columns
          </Button>
        )}
      </div>
      {found.error && <ErrorBox what="It was not answered" error={found.error} />}
      {found.answer && <Why answer={found.answer} />}
    </form>
  );
}
