/** The access keys of an endpoint: in clear once, afterwards only their beginning. */
import type { JSX } from 'react';

import type { Endpoint, KeyInfo } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { type Column, CommandButton, CopyButton, Table, When } from '../common';

/** New keys, in a dialog right after they were made: the only time that they are shown. */
export function IssuedKeys(props: { keys: Readonly<Record<string, string>>; execute: Execute }): JSX.Element {
  return (
    <div className="jp-mls-IssuedKeys">
      {Object.entries(props.keys).map(([name, key]) => (
        <div key={name} className="jp-mls-IssuedKey">
          <span>{name}</span>
          <code data-testid={`key-${name}`}>{key}</code>
          <CopyButton execute={props.execute} label="Copy" title={`Copy the ${name} key`} text={key} />
        </div>
      ))}
      <p>
        These are not shown again: the studio keeps only their hashes. A lost key can be replaced by a new
        one.
      </p>
    </div>
  );
}

function columnsFor(name: string, execute: Execute): Column<KeyInfo>[] {
  return [
    { id: 'name', title: 'Key', cell: key => key.name },
    { id: 'prefix', title: 'Begins with', cell: key => <code>{key.prefix}…</code> },
    { id: 'created', title: 'Made', cell: key => <When at={key.created_at} /> },
    {
      id: 'used',
      title: 'Last used',
      cell: key => (key.last_used_at ? <When at={key.last_used_at} /> : 'never')
    },
    {
      id: 'ends',
      title: 'Good until',
      cell: key => (key.expires_at ? <When at={key.expires_at} /> : 'no end')
    },
    {
      id: 'regenerate',
      title: '',
      cell: key => (
        <CommandButton
          minimal
          execute={execute}
          command={CommandIDs.regenerateKey}
          args={{ name, key: key.name }}
          title={`Replace the ${key.name} key`}
        >
          Regenerate
        </CommandButton>
      )
    }
  ];
}

/** What is known of the keys, and a way to replace each. */
export function KeysTable({ endpoint, execute }: { endpoint: Endpoint; execute: Execute }): JSX.Element {
  return (
    <Table
      label="Keys"
      columns={columnsFor(endpoint.name, execute)}
      rows={endpoint.keys}
      rowKey={key => key.name}
    />
  );
}
