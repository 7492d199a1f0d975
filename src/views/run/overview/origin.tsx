import { type JSX, type ReactNode, useState } from 'react';
import type { GitState, Run } from '../../../api/types';
import { CommandIDs } from '../../../tokens';
import {
  Button,
  CommandLink,
  CopyButton,
  ErrorBox,
  KeyValueTable,
  Loading,
  Name,
  formatBytes,
  plural,
  useResource
} from '../../common';
import { Diff } from '../code/diff';
import type { RunProps } from '../header';

function fileRows({ run, execute }: RunProps): [string, ReactNode][] {
  const { notebook, cell_id: cellId, cell_number: cell, script } = run.origin;
  const rows: [string, ReactNode][] = [];
  if (notebook) {
    rows.push([
      'Notebook',
      <CommandLink
        key="notebook"
        execute={execute}
        command={CommandIDs.openFile}
        args={{ path: notebook, cellId }}
        title="Open the notebook at this cell"
      >
        <Name text={cell === null ? notebook : `${notebook}, cell ${cell}`} />
      </CommandLink>
    ]);
  }
  const file = script ?? run.spec.script;
  if (file) {
    rows.push([
      'Script',
      <CommandLink key="script" execute={execute} command={CommandIDs.openFile} args={{ path: file }}>
        <Name text={file} />
      </CommandLink>
    ]);
  }
  return rows;
}

function gitRows(git: GitState, execute: RunProps['execute']): [string, ReactNode][] {
  return [
    [
      'Commit',
      <span key="commit" className="jp-mls-mono">
        <Name text={git.commit.slice(0, 12)} />
        {git.dirty && (
          <span className="jp-mls-Badge" title="There were changes that were not committed">
            {' '}
            +dirty
          </span>
        )}
        <CopyButton text={git.commit} execute={execute} title="Copy the commit" />
      </span>
    ],
    ...(git.branch ? [['Branch', <Name key="branch" text={git.branch} />] as [string, ReactNode]] : []),
    ...(git.remote_url
      ? [['Remote', <Name key="remote" text={git.remote_url} />] as [string, ReactNode]]
      : [])
  ];
}

function workRows({ run }: { run: Run }): [string, ReactNode][] {
  const { command, args } = run.spec;
  const rows: [string, ReactNode][] = [['Kind', run.kind]];
  if (command.length > 0) {
    rows.push(['Command', <code key="command">{command.join(' ')}</code>]);
  }
  if (args.length > 0) {
    rows.push(['Arguments', <code key="args">{args.join(' ')}</code>]);
  }
  return [...rows, ['Working folder', <Name key="folder" text={run.spec.folder || '/'} />]];
}

function Patch({ studio, run }: RunProps): JSX.Element {
  const code = useResource(studio.code(run.id));
  if (!code.value) {
    return code.error ? (
      <ErrorBox what="The patch could not be read" error={code.error} retry={() => code.refresh()} />
    ) : (
      <Loading />
    );
  }
  return <Diff patch={code.value.patch} />;
}

/** Notebook, script, commit and what was not committed. */
export function OriginPart(props: RunProps): JSX.Element {
  const { run, execute } = props;
  const { git } = run.origin;
  const [open, setOpen] = useState(false);
  return (
    <>
      <KeyValueTable
        label="Where from"
        rows={[...fileRows(props), ...workRows(props), ...(git ? gitRows(git, execute) : [])]}
      />
      {!git && <p className="jp-mls-quiet">Not in a git repository.</p>}
      {git && git.patch_bytes > 0 && (
        <Button minimal aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide patch' : `Show patch (${formatBytes(git.patch_bytes)})`}
        </Button>
      )}
      {open && <Patch {...props} />}
      {git && git.untracked.length > 0 && (
        <details className="jp-mls-Details">
          <summary>{plural(git.untracked.length, 'untracked file')}</summary>
          <ul>
            {git.untracked.map(path => (
              <li key={path}>
                <Name text={path} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
