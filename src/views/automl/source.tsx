/** Where the table comes from: a file of the workspace, or a DataFrame in the kernel of a notebook. */
import { type JSX, useEffect, useState } from 'react';
import { StudioError } from '../../api/client';
import type { Frame } from '../../models/frames';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, Field, Name, Notice, grouped, visible } from '../common';

interface Props {
  data: string;
  execute: Execute;
  onData: (data: string) => void;
}

interface Found {
  notebook?: string;
  frames?: Frame[];
  error?: string;
}

/** The DataFrames of the notebook in front; one that is chosen is written as a file. */
function Frames({ execute, onData }: Pick<Props, 'execute' | 'onData'>): JSX.Element {
  const [found, setFound] = useState<Found | null>(null);
  const [busy, setBusy] = useState('');
  const look = (): void => {
    void execute(CommandIDs.listFrames).then(answer => setFound((answer as Found | undefined) ?? {}));
  };
  useEffect(look, [execute]);
  const take = async (name: string): Promise<void> => {
    setBusy(name);
    try {
      const path = await execute(CommandIDs.saveFrame, { name });
      if (typeof path === 'string') {
        onData(path);
      }
    } finally {
      setBusy('');
    }
  };
  if (!found) {
    return <p className="jp-mls-quiet">Asking the kernel …</p>;
  }
  const frames = found.frames ?? [];
  return (
    <div className="jp-mls-AutoML-frames" role="group" aria-label="DataFrames">
      {found.error !== undefined || frames.length === 0 ? (
        <p>
          {found.error !== undefined
            ? visible(found.error)
            : `No DataFrame in the kernel of ${visible(found.notebook ?? 'the notebook')}.`}{' '}
          <Button minimal onClick={look}>
            Look again
          </Button>
        </p>
      ) : (
        <>
          <p className="jp-mls-quiet">
            In the kernel of <Name text={found.notebook ?? ''} />. The one that you choose is written to the
            folder automl-data.
          </p>
          {frames.map(frame => (
            <Button
              key={frame.name}
              disabled={busy !== ''}
              aria-busy={busy === frame.name || undefined}
              onClick={() => void take(frame.name)}
            >
              <Name text={frame.name} />
              <span className="jp-mls-quiet">
                {grouped(frame.rows)} × {grouped(frame.columns)}
              </span>
            </Button>
          ))}
        </>
      )}
    </div>
  );
}

export function Source({ data, execute, onData }: Props): JSX.Element {
  const [text, setText] = useState(data);
  const [kernel, setKernel] = useState(false);
  const [error, setError] = useState<StudioError | null>(null);
  useEffect(() => setText(data), [data]);
  const choose = (): void => {
    execute(CommandIDs.chooseTable).then(
      path => {
        if (typeof path === 'string' && path !== '') {
          onData(path);
        }
      },
      (why: unknown) => setError(StudioError.from(why))
    );
  };
  return (
    <>
      <Field label="Table" hint="CSV, TSV, JSON lines or Parquet, by its path in the workspace.">
        {props => (
          <div className="jp-mls-AutoML-source">
            <input
              {...props}
              className="jp-mod-styled"
              value={text}
              placeholder="data/churn.csv"
              autoComplete="off"
              spellCheck={false}
              onChange={event => setText(event.target.value)}
              onBlur={() => text.trim() && onData(text.trim())}
              onKeyDown={event => {
                if (event.key === 'Enter' && text.trim()) {
                  onData(text.trim());
                }
              }}
            />
            <Button primary={data === ''} onClick={choose} data-command={CommandIDs.chooseTable}>
              Choose a file …
            </Button>
            <Button aria-expanded={kernel} onClick={() => setKernel(!kernel)}>
              From a notebook …
            </Button>
          </div>
        )}
      </Field>
      {error && <Notice tone="bad">{visible(error.message)}</Notice>}
      {kernel && (
        <Frames
          execute={execute}
          onData={path => {
            setKernel(false);
            onData(path);
          }}
        />
      )}
    </>
  );
}
