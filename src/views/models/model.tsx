/** One registered model: its versions, its aliases, and the version that is looked at. */
import { type JSX, useEffect, useState } from 'react';

import type { Model } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Button,
  CommandButton,
  ErrorBox,
  Loading,
  MISSING,
  Name,
  StatusBadge,
  When,
  formatBytes,
  modelIcon,
  plural,
  useResource
} from '../common';
import { AliasLinks } from './aliases';
import { differenceText } from './parity';
import { RunLink, VersionView } from './version';

interface Props {
  studio: StudioModel;
  name: string;
  execute: Execute;
}

const SHOWN_VERSIONS = 8;

interface RowProps extends Props {
  version: number;
  selected: boolean;
  onSelect: (version: number) => void;
}

function VersionRow({ studio, name, version, selected, onSelect, execute }: RowProps): JSX.Element {
  const { value, error } = useResource(studio.version(name, version));
  const parity = value?.parity;
  return (
    <tr className="jp-mls-mod-link" aria-selected={selected} onClick={() => onSelect(version)}>
      <td>
        <button type="button" className="jp-mls-Link" aria-pressed={selected}>
          v{version}
        </button>
      </td>
      <td>{value ? <StatusBadge status={value.status} reason={value.reason} /> : (error?.message ?? '…')}</td>
      <td>
        {value?.aliases.map(alias => (
          <span key={alias} className="jp-mls-Chip">
            <Name text={alias} />
          </span>
        ))}
      </td>
      <td>
        <Name text={value?.framework ?? ''} />
      </td>
      <td className="jp-mls-mod-numeric">{parity ? (parity.label_flips ?? MISSING) : MISSING}</td>
      <td className="jp-mls-mod-numeric">{parity ? differenceText(parity.max_abs_difference) : MISSING}</td>
      <td className="jp-mls-mod-numeric">{formatBytes(value?.size_bytes)}</td>
      <td>{value?.run_id ? <RunLink studio={studio} runId={value.run_id} execute={execute} /> : MISSING}</td>
      <td>
        <Name text={value?.user ?? ''} />
      </td>
      <td>
        <When at={value?.created_at} />
      </td>
    </tr>
  );
}

interface VersionsProps extends Props {
  model: Model;
  selected: number | undefined;
  onSelect: (version: number) => void;
}

function VersionsTable({ model, selected, onSelect, ...rest }: VersionsProps): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? model.versions : model.versions.slice(0, SHOWN_VERSIONS);
  return (
    <div className="jp-mls-TableBox">
      <table className="jp-mls-Table" aria-label="Versions">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Status</th>
            <th scope="col">Aliases</th>
            <th scope="col">Framework</th>
            <th scope="col" className="jp-mls-mod-numeric">
              Label flips
            </th>
            <th scope="col" className="jp-mls-mod-numeric">
              Difference
            </th>
            <th scope="col" className="jp-mls-mod-numeric">
              Size
            </th>
            <th scope="col">Source run</th>
            <th scope="col">By</th>
            <th scope="col">Registered</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(version => (
            <VersionRow
              key={version}
              {...rest}
              version={version}
              selected={version === selected}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
      {shown.length < model.versions.length && (
        <Button minimal onClick={() => setAll(true)}>
          Show all {model.versions.length} versions
        </Button>
      )}
    </div>
  );
}

function Header(props: { model: Model; execute: Execute; onOpen: (version: number) => void }): JSX.Element {
  const { model, execute, onOpen } = props;
  return (
    <header className="jp-mls-Head">
      <modelIcon.react tag="span" className="jp-mls-Head-icon" aria-hidden="true" />
      <h1>
        <Name text={model.name} />
      </h1>
      <span className="jp-mls-quiet">{plural(model.versions.length, 'version')}</span>
      <AliasLinks aliases={model.aliases} onOpen={onOpen} />
      <div className="jp-mls-Actions">
        <CommandButton execute={execute} command={CommandIDs.describeModel} args={{ name: model.name }}>
          Describe
        </CommandButton>
        <CommandButton
          minimal
          danger
          execute={execute}
          command={CommandIDs.deleteModel}
          args={{ name: model.name }}
        >
          Delete model
        </CommandButton>
      </div>
    </header>
  );
}

/** The number that an address (a number, an alias, `latest`, nothing) stands for. */
export function versionNumber(model: Model, address: string | number | undefined): number | undefined {
  const asked = Number(address);
  if (model.versions.includes(asked)) {
    return asked;
  }
  return model.aliases[String(address)] ?? model.latest?.version ?? model.versions[0];
}

/** A model in full; `version` is the one to look at first, the latest when absent. */
export function ModelView(props: Props & { version?: string | number | undefined }): JSX.Element {
  const { studio, name, execute, version } = props;
  const resource = useResource(studio.model(name));
  const [chosen, choose] = useState(version);
  useEffect(() => choose(version), [version]);
  const model = resource.value;
  if (!model) {
    return resource.error ? (
      <ErrorBox what="The model cannot be shown." error={resource.error} retry={() => resource.refresh()} />
    ) : (
      <Loading what="Reading the model" />
    );
  }
  const selected = versionNumber(model, chosen);
  return (
    <div className="jp-mls-Noun jp-mls-ModelView">
      {resource.error && (
        <ErrorBox what="This may be out of date." error={resource.error} retry={() => resource.refresh()} />
      )}
      <Header model={model} execute={execute} onOpen={choose} />
      {model.description !== '' && <p className="jp-mls-Wrap">{model.description}</p>}
      <VersionsTable
        studio={studio}
        name={name}
        execute={execute}
        model={model}
        selected={selected}
        onSelect={choose}
      />
      {selected !== undefined && (
        <VersionView key={selected} studio={studio} name={name} version={selected} execute={execute} />
      )}
    </div>
  );
}
