/** What a file looks like: text, JSON, table, picture or notebook; nothing in it is run or fetched. */
import { type JSX, useMemo } from 'react';
import type { Preview } from '../../api/types';
import { DataTable } from '../../charts/datatable';
import { EmptyState, formatBytes } from '../common';
import { type INotebookCell, readNotebook } from './notebook';
import { drawLines, splitLines } from './logs/lines';
import { LogLine } from './logs/line';

const SHOWN_LINES = 5000;

/** Text with line numbers. */
export function CodeText({ text, label }: { text: string; label: string }): JSX.Element {
  const lines = useMemo(() => splitLines(text), [text]);
  const shown = lines.slice(0, SHOWN_LINES);
  return (
    <div className="jp-mls-CodeText" tabIndex={0} role="region" aria-label={label}>
      <pre className="jp-mls-CodeText-numbers" aria-hidden="true">
        {shown.map((_, index) => `${index + 1}\n`).join('')}
      </pre>
      <pre className="jp-mls-CodeText-text">{shown.join('\n')}</pre>
      {lines.length > shown.length && (
        <p className="jp-mls-quiet">
          {lines.length - shown.length} more lines: download the file to see them.
        </p>
      )}
    </div>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Cell({ cell }: { cell: INotebookCell }): JSX.Element {
  const outputs = useMemo(() => drawLines(splitLines(cell.output)).lines, [cell.output]);
  return (
    <div className={`jp-mls-NotebookCell jp-mls-mod-${cell.kind}`}>
      <span className="jp-mls-NotebookCell-prompt">
        {cell.kind === 'code' ? `[${cell.count ?? ' '}]` : ''}
      </span>
      <div>
        <pre>{cell.source}</pre>
        {outputs.length > 0 && (
          <pre className="jp-mls-NotebookCell-output">
            {outputs.map((line, index) => (
              <LogLine key={index} line={line} />
            ))}
          </pre>
        )}
        {cell.hidden.length > 0 && <p className="jp-mls-quiet">Not shown: {cell.hidden.join(', ')}</p>}
      </div>
    </div>
  );
}

function NotebookText({ text }: { text: string }): JSX.Element {
  const notebook = useMemo(() => readNotebook(text), [text]);
  if (!notebook) {
    return <CodeText text={text} label="Notebook as text" />;
  }
  return (
    <div className="jp-mls-NotebookText" tabIndex={0} role="region" aria-label="Cells of the notebook">
      {notebook.map((cell, index) => (
        <Cell key={index} cell={cell} />
      ))}
    </div>
  );
}

function Body({ preview, label }: { preview: Preview; label: string }): JSX.Element {
  const table = useMemo(() => {
    const [columns = [], ...rows] = preview.rows;
    return { columns, rows };
  }, [preview.rows]);
  switch (preview.kind) {
    case 'text':
      return <CodeText text={preview.text} label={label} />;
    case 'json':
      return <CodeText text={pretty(preview.text)} label={label} />;
    case 'notebook':
      return <NotebookText text={preview.text} />;
    case 'table':
      return <DataTable table={table} label={label} />;
    case 'image':
      return preview.data_url.startsWith('data:image/') ? (
        <img className="jp-mls-PreviewImage" src={preview.data_url} alt={label} />
      ) : (
        <EmptyState>No preview: the picture is not inline.</EmptyState>
      );
    default:
      return <EmptyState>No preview: {preview.reason || 'this kind of file is not shown'}.</EmptyState>;
  }
}

/** A preview, and whether it is the whole file. */
export function FilePreview({ preview, label }: { preview: Preview; label: string }): JSX.Element {
  return (
    <div className="jp-mls-Preview">
      {preview.truncated && (
        <p className="jp-mls-Preview-note">
          The beginning of {formatBytes(preview.size_bytes)}. Download the file to see all of it.
        </p>
      )}
      <Body preview={preview} label={label} />
    </div>
  );
}
