/** Names that point at versions: `champion`, `production`. */
import { closeIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import { CommandIDs, type Execute } from '../../tokens';
import { Button, CommandButton, Name } from '../common';

export interface AliasesProps {
  model: string;
  /** Aliases that point at `version`. */
  aliases: readonly string[];
  version: number;
  execute: Execute;
}

/** The aliases of one version as chips: each can be moved away or removed, another can be added. */
export function Aliases({ model, aliases, version, execute }: AliasesProps): JSX.Element {
  return (
    <span className="jp-mls-Chips" role="group" aria-label={`Aliases of version ${version}`}>
      {aliases.map(alias => (
        <span key={alias} className="jp-mls-Chip jp-mls-Alias">
          <Name text={alias} />
          <Button
            minimal
            icon={closeIcon}
            title={`Remove the alias ${alias}`}
            data-command={CommandIDs.deleteAlias}
            onClick={event => {
              event.stopPropagation();
              void execute(CommandIDs.deleteAlias, { name: model, alias });
            }}
          />
        </span>
      ))}
      <CommandButton
        minimal
        execute={execute}
        command={CommandIDs.setAlias}
        args={{ name: model, version }}
        title={`Point an alias at version ${version}`}
      >
        + alias
      </CommandButton>
    </span>
  );
}

/** All aliases of a model, each with the version that it points at; a click opens that version. */
export function AliasLinks(props: {
  aliases: Readonly<Record<string, number>>;
  onOpen: (version: number) => void;
}): JSX.Element | null {
  const entries = Object.entries(props.aliases).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) {
    return null;
  }
  return (
    <span className="jp-mls-Chips">
      {entries.map(([alias, version]) => (
        <button
          key={alias}
          type="button"
          className="jp-mls-Chip jp-mls-Alias"
          title={`${alias} points at version ${version}`}
          onClick={event => {
            event.stopPropagation();
            props.onOpen(version);
          }}
        >
          <Name text={alias} />
          <span className="jp-mls-quiet">v{version}</span>
        </button>
      ))}
    </span>
  );
}
