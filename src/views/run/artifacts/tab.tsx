/** Files that a run left. */
import { type JSX, useState } from 'react';
import type { ArtifactEntry } from '../../../api/types';
import { PreviewModel } from '../../../models/preview';
import { CommandIDs } from '../../../tokens';
import {
  CommandButton,
  EmptyState,
  ErrorBox,
  Loading,
  Name,
  When,
  formatBytes,
  useResource
} from '../../common';
import { FilePreview } from '../filepreview';
import type { RunProps } from '../header';
import { useOwned } from '../own';
import { Tree } from './tree';

function Chosen({ studio, run, execute, entry }: RunProps & { entry: ArtifactEntry }): JSX.Element {
  const key = JSON.stringify([run.id, entry.path]);
  const model = useOwned(
    () => new PreviewModel(studio.feed, studio.client, run.id, entry.path, 'artifacts'),
    key
  );
  return (
    <>
      <div className="jp-mls-Toolbar">
        <strong>
          <Name text={entry.name} />
        </strong>
        <span className="jp-mls-quiet">
          {formatBytes(entry.size_bytes)}
          {entry.modified_at && (
            <>
              {' '}
              · <When at={entry.modified_at} />
            </>
          )}
        </span>
        <span className="jp-mls-Toolbar-space" />
        <CommandButton
          execute={execute}
          command={CommandIDs.download}
          args={{ runId: run.id, path: entry.path }}
        >
          Download
        </CommandButton>
        <CommandButton
          minimal
          execute={execute}
          command={CommandIDs.deleteArtifact}
          args={{ id: run.id, path: entry.path }}
        >
          Delete…
        </CommandButton>
      </div>
      {model.value ? (
        <FilePreview preview={model.value} label={`Preview of ${entry.name}`} />
      ) : model.error ? (
        <ErrorBox what="The file could not be read" error={model.error} retry={() => model.refresh()} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Special({ entry }: { entry: ArtifactEntry }): JSX.Element {
  return (
    <EmptyState title={entry.name}>
      This is a link, device, pipe or socket. Such files are named here, and neither shown nor downloaded.
    </EmptyState>
  );
}

/** Tree on the left, preview on the right. */
export function ArtifactsTab(props: RunProps): JSX.Element {
  const { studio, run } = props;
  const root = useResource(studio.artifacts(run.id));
  const [entry, setEntry] = useState<ArtifactEntry | null>(null);
  if (!root.value) {
    return root.error ? (
      <ErrorBox what="The artifacts could not be listed" error={root.error} retry={() => root.refresh()} />
    ) : (
      <Loading />
    );
  }
  if (root.value.entries.length === 0) {
    return (
      <EmptyState title="No artifacts">
        Files that the run keeps show up here. Keep one with{' '}
        <code>studio.log_artifact(&quot;model.pkl&quot;)</code>.
      </EmptyState>
    );
  }
  return (
    <div className="jp-mls-Split">
      <Tree studio={studio} runId={run.id} selected={entry?.path ?? null} onSelect={setEntry} />
      <div className="jp-mls-Split-main">
        {entry === null ? (
          <EmptyState>Choose a file to see what is in it.</EmptyState>
        ) : entry.kind === 'file' ? (
          <Chosen key={entry.path} {...props} entry={entry} />
        ) : (
          <Special entry={entry} />
        )}
      </div>
    </div>
  );
}
