/** One row: what the winner answers, and how far each value moved the answer. */
import { type JSX, useId, useState } from 'react';
import type { RowExplanation, TableColumn } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, ErrorBox, Name } from '../common';
import { RowAnswer } from './answer';

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
      {found.answer && <RowAnswer answer={found.answer} />}
    </form>
  );
}
