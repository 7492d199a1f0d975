/** A tree of folders and files that reads a folder when it is opened. */
import { fileIcon, folderIcon } from '@jupyterlab/ui-components';
import { type JSX, type KeyboardEvent, useRef, useState } from 'react';
import type { ArtifactEntry } from '../../../api/types';
import type { StudioModel } from '../../../models/studio';
import { Button, ErrorBox, Loading, Name, formatBytes, unknownIcon, useResource } from '../../common';

interface TreeProps {
  studio: StudioModel;
  runId: string;
  selected: string | null;
  onSelect: (entry: ArtifactEntry) => void;
}

const ICONS: Record<string, typeof fileIcon> = { folder: folderIcon, special: unknownIcon };

function Folder({ path, level, ...props }: TreeProps & { path: string; level: number }): JSX.Element {
  const { studio, runId } = props;
  const folder = useResource(studio.artifacts(runId, path));
  const list = folder.value;
  if (!list) {
    return folder.error ? (
      <ErrorBox what="The folder could not be read" error={folder.error} retry={() => folder.refresh()} />
    ) : (
      <Loading />
    );
  }
  return (
    <ul role="group" className="jp-mls-Tree-group">
      {list.entries.map(entry => (
        <Entry key={entry.path} {...props} entry={entry} level={level} />
      ))}
      {list.entries.length === 0 && <li className="jp-mls-quiet">Empty</li>}
      {list.next_page_token && (
        <li>
          <Button minimal onClick={() => void folder.more()}>
            {list.total - list.entries.length} more
          </Button>
        </li>
      )}
    </ul>
  );
}

function Entry({ entry, level, ...props }: TreeProps & { entry: ArtifactEntry; level: number }): JSX.Element {
  const [open, setOpen] = useState(false);
  const isFolder = entry.kind === 'folder';
  const Icon = ICONS[entry.kind] ?? fileIcon;
  const toggle = (): void => (isFolder ? setOpen(!open) : props.onSelect(entry));
  const keys = (event: KeyboardEvent): void => {
    if (isFolder && ((event.key === 'ArrowRight' && !open) || (event.key === 'ArrowLeft' && open))) {
      event.stopPropagation();
      setOpen(!open);
    }
  };
  return (
    <li
      role="treeitem"
      aria-level={level}
      aria-expanded={isFolder ? open : undefined}
      aria-selected={entry.path === props.selected}
    >
      <button
        type="button"
        className="jp-mls-Tree-row"
        style={{ paddingLeft: 4 + (level - 1) * 14 }}
        onClick={toggle}
        onKeyDown={keys}
      >
        <span className="jp-mls-Tree-caret" aria-hidden="true">
          {isFolder ? (open ? '▾' : '▸') : ''}
        </span>
        <Icon.react tag="span" className="jp-mls-Icon" aria-hidden="true" />
        <Name text={entry.name} />
        {entry.kind === 'special' && (
          <span className="jp-mls-Badge" title="A link, device, pipe or socket: not read">
            special
          </span>
        )}
        {entry.kind === 'file' && <span className="jp-mls-quiet">{formatBytes(entry.size_bytes)}</span>}
      </button>
      {open && <Folder {...props} path={entry.path} level={level + 1} />}
    </li>
  );
}

/** The tree; up and down move between rows, right and left open and close folders. */
export function Tree(props: TreeProps): JSX.Element {
  const root = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const rows = [...(root.current?.querySelectorAll<HTMLElement>('.jp-mls-Tree-row') ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const to = event.key === 'ArrowDown' ? at + 1 : event.key === 'ArrowUp' ? at - 1 : -1;
    if (at >= 0 && rows[to]) {
      event.preventDefault();
      rows[to].focus();
    }
  };
  return (
    <div className="jp-mls-Tree" role="tree" aria-label="Artifacts" ref={root} onKeyDown={move}>
      <Folder {...props} path="" level={1} />
    </div>
  );
}
