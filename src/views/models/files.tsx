/** The files of a model version. */
import { type JSX, useMemo } from 'react';

import type { ModelFile, ModelVersion } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { type Column, CommandButton, CopyButton, Name, Table, formatBytes } from '../common';

/** Sizes, hashes and downloads. */
export function FilesTable(props: { version: ModelVersion; execute: Execute }): JSX.Element {
  const { version, execute } = props;
  const columns = useMemo(
    (): Column<ModelFile>[] => [
      { id: 'path', title: 'File', cell: file => <Name text={file.path} /> },
      { id: 'size', title: 'Size', numeric: true, cell: file => formatBytes(file.size_bytes) },
      { id: 'sha256', title: 'SHA-256', cell: file => <Hash hash={file.sha256} execute={execute} /> },
      {
        id: 'download',
        title: '',
        cell: file => (
          <CommandButton
            minimal
            execute={execute}
            command={CommandIDs.download}
            args={{ model: version.model, version: version.version, path: file.path }}
          >
            Download
          </CommandButton>
        )
      }
    ],
    [execute, version.model, version.version]
  );
  return <Table label="Files" columns={columns} rows={version.files} rowKey={file => file.path} />;
}

/** The first characters of a hash; all of it on hover and to copy. */
export function Hash({ hash, execute }: { hash: string; execute: Execute }): JSX.Element {
  return (
    <span className="jp-mls-Hash">
      <code title={hash}>{hash.slice(0, 12)}</code>
      <CopyButton text={hash} execute={execute} title="Copy SHA-256" />
    </span>
  );
}
