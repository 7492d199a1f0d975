import { type JSX, useMemo, useState } from 'react';
import { Button, Name } from '../../common';
import { type IDiffFile, type LineKind, readPatch } from './patch';

const SHOWN = 1000;
const SIGNS: Record<LineKind, string> = { added: '+', removed: '-', same: ' ', hunk: '', meta: '' };

function File({ file }: { file: IDiffFile }): JSX.Element {
  const [shown, setShown] = useState(SHOWN);
  return (
    <details className="jp-mls-Diff-file" open>
      <summary>
        <Name text={file.path || 'patch'} /> <span className="jp-mls-Diff-added">+{file.added}</span>{' '}
        <span className="jp-mls-Diff-removed">-{file.removed}</span>
      </summary>
      <table className="jp-mls-Diff-table" aria-label={`Changes of ${file.path}`}>
        <tbody>
          {file.lines.slice(0, shown).map((line, index) => (
            <tr key={index} className={`jp-mls-Diff-line jp-mls-mod-${line.kind}`}>
              <td>{line.before}</td>
              <td>{line.after}</td>
              <td>
                <span aria-label={line.kind === 'added' || line.kind === 'removed' ? line.kind : undefined}>
                  {SIGNS[line.kind]}
                </span>
                {line.text}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {file.lines.length > shown && (
        <Button minimal onClick={() => setShown(shown + SHOWN)}>
          {file.lines.length - shown} more lines
        </Button>
      )}
    </details>
  );
}

/** A patch, file by file, with added and removed lines told apart by sign and colour. */
export function Diff({ patch }: { patch: string }): JSX.Element {
  const files = useMemo(() => readPatch(patch), [patch]);
  if (files.length === 0) {
    return <p className="jp-mls-quiet">Nothing differed from the commit.</p>;
  }
  return (
    <div className="jp-mls-Diff">
      {files.map((file, index) => (
        <File key={index} file={file} />
      ))}
    </div>
  );
}
