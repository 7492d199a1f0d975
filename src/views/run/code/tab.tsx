/** The code that ran. */
import { type JSX, useState } from 'react';
import type { Run, Snapshot } from '../../../api/types';
import { PreviewModel } from '../../../models/preview';
import type { StudioModel } from '../../../models/studio';
import { EmptyState, ErrorBox, Loading, Name, formatBytes, plural, useResource } from '../../common';
import { FilePreview } from '../filepreview';
import type { RunProps } from '../header';
import { useOwned } from '../own';
import { Diff } from './diff';

/** What is selected on the left when it is no file. */
const PATCH = '\0patch';
const LEFT_OUT = '\0left-out';
export const CELL = '\0cell';

function CodeFile({ studio, run, path }: { studio: StudioModel; run: Run; path: string }): JSX.Element {
  const key = JSON.stringify([run.id, path]);
  const model = useOwned(() => new PreviewModel(studio.feed, studio.client, run.id, path, 'code'), key);
  if (!model.value) {
    return model.error ? (
      <ErrorBox what="The file could not be read" error={model.error} retry={() => model.refresh()} />
    ) : (
      <Loading />
    );
  }
  return <FilePreview preview={model.value} label={`Text of ${path}`} />;
}

function LeftOut({ snapshot }: { snapshot: Snapshot }): JSX.Element {
  return (
    <table className="jp-mls-Table" aria-label="Files that were left out">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col">Size</th>
          <th scope="col">Why it was left out</th>
        </tr>
      </thead>
      <tbody>
        {snapshot.left_out.map(file => (
          <tr key={file.path}>
            <td>
              <Name text={file.path} />
            </td>
            <td>{formatBytes(file.size_bytes)}</td>
            <td>{file.reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface IChoice {
  id: string;
  label: string;
  note: string;
  entry?: boolean;
}

/** What can be chosen on the left: what was started first. */
export function choicesOf(run: Run, snapshot: Snapshot): IChoice[] {
  // A snapshot keeps the cell as its entry file: it is shown once, as the cell.
  const files = snapshot.files.filter(file => run.spec.cell === null || file.path !== snapshot.entry);
  const choices: IChoice[] = files.map(file => ({
    id: file.path,
    label: file.path,
    note: formatBytes(file.size_bytes),
    entry: file.path === snapshot.entry
  }));
  choices.sort((a, b) => Number(b.entry) - Number(a.entry));
  if (run.spec.cell !== null) {
    choices.unshift({
      id: CELL,
      label: 'Cell',
      note: run.origin.cell_number === null ? '' : `cell ${run.origin.cell_number}`,
      entry: true
    });
  }
  if (snapshot.patch) {
    choices.push({ id: PATCH, label: 'Changes since the commit', note: 'patch' });
  }
  if (snapshot.left_out.length > 0) {
    choices.push({ id: LEFT_OUT, label: 'Left out', note: plural(snapshot.left_out.length, 'file') });
  }
  return choices;
}

function Selected({
  studio,
  run,
  snapshot,
  id
}: {
  studio: StudioModel;
  run: Run;
  snapshot: Snapshot;
  id: string;
}): JSX.Element {
  if (id === PATCH) {
    return <Diff patch={snapshot.patch} />;
  }
  if (id === LEFT_OUT) {
    return <LeftOut snapshot={snapshot} />;
  }
  if (id === CELL) {
    const text = run.spec.cell ?? '';
    return (
      <FilePreview
        preview={{
          path: 'cell',
          kind: 'text',
          size_bytes: text.length,
          text,
          rows: [],
          data_url: '',
          truncated: false,
          reason: ''
        }}
        label="Text of the cell"
      />
    );
  }
  return <CodeFile studio={studio} run={run} path={id} />;
}

const NO_SNAPSHOT: Snapshot = { id: '', entry: null, files: [], left_out: [], patch: '' };

/** List of the snapshot's files on the left, the chosen one on the right. */
export function CodeTab({ studio, run }: RunProps): JSX.Element {
  const code = useResource(studio.code(run.id));
  const [chosen, setChosen] = useState<string | null>(null);
  const none = code.error?.status === 404;
  if (!code.value && !none) {
    return code.error ? (
      <ErrorBox what="The code could not be read" error={code.error} retry={() => code.refresh()} />
    ) : (
      <Loading />
    );
  }
  const snapshot = code.value ?? NO_SNAPSHOT;
  const choices = choicesOf(run, snapshot);
  const id = choices.some(choice => choice.id === chosen) ? chosen : choices[0]?.id;
  if (!id) {
    return <EmptyState>No code was kept for this run: its command ran what was installed.</EmptyState>;
  }
  return (
    <div className="jp-mls-Split">
      <ul className="jp-mls-FileList" aria-label="Files that ran">
        {choices.map(choice => (
          <li key={choice.id}>
            <button type="button" aria-current={choice.id === id} onClick={() => setChosen(choice.id)}>
              <Name text={choice.label} />
              {choice.entry && <span className="jp-mls-Badge">entry</span>}
              <span className="jp-mls-quiet">{choice.note}</span>
            </button>
          </li>
        ))}
      </ul>
      <div className="jp-mls-Split-main">
        <Selected key={id} studio={studio} run={run} snapshot={snapshot} id={id} />
      </div>
    </div>
  );
}
