/** The files of a model version. */
import { type JSX, useMemo } from 'react';

import type { ModelFile, ModelFormat, ModelVersion } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { type Column, CommandButton, CopyButton, MISSING, Name, Table, formatBytes } from '../common';

/** Sizes, hashes and downloads. */
export function FilesTable(props: { version: ModelVersion; execute: Execute }): JSX.Element {
  const { version, execute } = props;
  const formats = useMemo(() => new Map(version.formats.map(one => [one.path, one])), [version.formats]);
  const columns = useMemo(
    (): Column<ModelFile>[] => [
      { id: 'path', title: 'File', cell: file => <Name text={file.path} /> },
      { id: 'format', title: 'Format', cell: file => <Format format={formats.get(file.path)} /> },
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
    [execute, formats, version.model, version.version]
  );
  return <Table label="Files" columns={columns} rows={version.files} rowKey={file => file.path} />;
}

/** What a file is; a red mark where loading it executes code. */
function Format({ format }: { format: ModelFormat | undefined }): JSX.Element {
  return format ? (
    <span title={format.note || undefined}>
      {format.format}
      {format.executes && <strong className="jp-mls-Danger"> executes code when it is loaded</strong>}
    </span>
  ) : (
    <>{MISSING}</>
  );
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
