/** All registered models. */
import { type JSX, useMemo, useState } from 'react';

import type { Model } from '../../api/types';
import { ModelsModel } from '../../models/models';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandButton,
  CommandLink,
  EmptyState,
  ErrorBox,
  Loading,
  MISSING,
  Name,
  StatusBadge,
  Table,
  When,
  useResource
} from '../common';
import { AliasLinks } from './aliases';

function columnsFor(execute: Execute): Column<Model>[] {
  return [
    {
      id: 'name',
      title: 'Name',
      cell: model => (
        <CommandLink execute={execute} command={CommandIDs.openModel} args={{ name: model.name }}>
          <Name text={model.name} />
        </CommandLink>
      )
    },
    {
      id: 'latest',
      title: 'Latest version',
      cell: ({ latest }) =>
        latest ? (
          <span className="jp-mls-Inline">
            v{latest.version} <StatusBadge status={latest.status} reason={latest.reason} />
          </span>
        ) : (
          MISSING
        )
    },
    {
      id: 'aliases',
      title: 'Aliases',
      cell: model => (
        <AliasLinks
          aliases={model.aliases}
          onOpen={version => void execute(CommandIDs.openModel, { name: model.name, version })}
        />
      )
    },
    { id: 'versions', title: 'Versions', numeric: true, cell: model => model.versions.length },
    {
      id: 'framework',
      title: 'Framework',
      cell: ({ latest }) => <Name text={latest?.framework || MISSING} />
    },
    { id: 'description', title: 'Description', cell: model => <Name text={model.description} /> },
    { id: 'updated', title: 'Changed', cell: model => <When at={model.updated_at} /> }
  ];
}

/** The list of models; empty, it says how one comes to be. */
export function ModelsView({ studio, execute }: { studio: StudioModel; execute: Execute }): JSX.Element {
  const [archived, setArchived] = useState(false);
  const resource = useResource(
    useMemo(
      () => (archived ? new ModelsModel(studio.feed, studio.client, true) : studio.models),
      [archived, studio]
    )
  );
  const columns = useMemo(() => columnsFor(execute), [execute]);
  const { value, error } = resource;
  return (
    <div className="jp-mls-Noun jp-mls-ModelsView">
      <div className="jp-mls-Actions">
        <CommandButton execute={execute} command={CommandIDs.registerFile}>
          Register a file …
        </CommandButton>
        <label className="jp-mls-Choice">
          <input type="checkbox" checked={archived} onChange={() => setArchived(!archived)} />
          Archived models too
        </label>
      </div>
      {error && (
        <ErrorBox
          what={value ? 'This may be out of date.' : 'The models cannot be shown.'}
          error={error}
          retry={() => resource.refresh()}
        />
      )}
      {!value && !error && <Loading what="Reading the models" />}
      {value?.length === 0 && (
        <EmptyState title="No models yet">
          A model is registered from a run that logged one: it is copied, converted to ONNX and compared with
          the original, so that it can be served. Open a run and choose Register.
        </EmptyState>
      )}
      {value && value.length > 0 && (
        <Table
          label="Models"
          columns={columns}
          rows={value}
          rowKey={model => model.name}
          onOpen={model => void execute(CommandIDs.openModel, { name: model.name })}
        />
      )}
    </div>
  );
}
