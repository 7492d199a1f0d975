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
  MenuButton,
  Name,
  StatusBadge,
  When,
  formatBytes,
  modelIcon,
  plural,
  useResource
} from '../common';
import { AliasLinks } from './aliases';
import { ApprovalBadge, stageText } from './decisions';
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
  /** Whether it is one of the two to compare. */
  picked: boolean;
  onPick: (version: number) => void;
}

function VersionRow(props: RowProps): JSX.Element {
  const { studio, name, version, selected, onSelect, picked, onPick, execute } = props;
  const { value, error } = useResource(studio.version(name, version));
  const parity = value?.parity;
  return (
    <tr className="jp-mls-mod-link" aria-selected={selected} onClick={() => onSelect(version)}>
      <td>
        <input
          type="checkbox"
          checked={picked}
          aria-label={`Compare version ${version}`}
          onClick={event => event.stopPropagation()}
          onChange={() => onPick(version)}
        />
      </td>
      <td>
        <button type="button" className="jp-mls-Link" aria-pressed={selected}>
          v{version}
        </button>
      </td>
      <td>{value ? <StatusBadge status={value.status} reason={value.reason} /> : (error?.message ?? '…')}</td>
      <td>{stageText(value?.stage)}</td>
      <td>{value && <ApprovalBadge status={value.approval.status} />}</td>
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
  const [archived, setArchived] = useState(false);
  const [picked, setPicked] = useState<readonly number[]>([]);
  const versions = archived
    ? [...model.versions, ...model.archived_versions].sort((a, b) => b - a)
    : model.versions;
  const shown = all ? versions : versions.slice(0, SHOWN_VERSIONS);
  // A third choice takes the place of the older of the two.
  const pick = (version: number): void =>
    setPicked(before =>
      before.includes(version) ? before.filter(one => one !== version) : [...before, version].slice(-2)
    );
  const [left, right] = [...picked].sort((a, b) => a - b);
  return (
    <div className="jp-mls-TableBox">
      <table className="jp-mls-Table" aria-label="Versions">
        <thead>
          <tr>
            <th scope="col">
              <span className="jp-mls-hidden">Compare</span>
            </th>
            <th scope="col">Version</th>
            <th scope="col">Status</th>
            <th scope="col">Stage</th>
            <th scope="col">Approval</th>
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
              picked={picked.includes(version)}
              onPick={pick}
            />
          ))}
        </tbody>
      </table>
      {shown.length < versions.length && (
        <Button minimal onClick={() => setAll(true)}>
          Show all {versions.length} versions
        </Button>
      )}
      <div className="jp-mls-Actions jp-mls-VersionTools">
        <CommandButton
          execute={rest.execute}
          command={CommandIDs.compareVersions}
          args={{ name: model.name, left: left ?? 0, right: right ?? 0 }}
          disabled={left === undefined || right === undefined}
          title={
            right === undefined ? 'Tick two versions to compare them' : `Compare v${left} with v${right}`
          }
        >
          Compare
        </CommandButton>
        {model.archived_versions.length > 0 && (
          <label className="jp-mls-Choice">
            <input type="checkbox" checked={archived} onChange={() => setArchived(!archived)} />
            {plural(model.archived_versions.length, 'archived version')}
          </label>
        )}
      </div>
    </div>
  );
}

function Header(props: { model: Model; execute: Execute; onOpen: (version: number) => void }): JSX.Element {
  const { model, execute, onOpen } = props;
  const args = { name: model.name };
  return (
    <header className="jp-mls-Head">
      <modelIcon.react tag="span" className="jp-mls-Head-icon" aria-hidden="true" />
      <h1>
        <Name text={model.name} />
      </h1>
      <span className="jp-mls-quiet">{plural(model.versions.length, 'version')}</span>
      <AliasLinks aliases={model.aliases} onOpen={onOpen} />
      {model.archived_at && <span className="jp-mls-quiet">archived</span>}
      {model.protected_aliases.length > 0 && (
        <span className="jp-mls-quiet">
          protected: <Name text={model.protected_aliases.join(', ')} />
        </span>
      )}
      <div className="jp-mls-Actions">
        <MenuButton
          title={`More for ${model.name}`}
          execute={execute}
          items={[
            { command: CommandIDs.describeModel, label: 'Describe …', args },
            { command: CommandIDs.protectAliases, label: 'Protected aliases …', args },
            { command: CommandIDs.renameModel, label: 'Rename …', args },
            model.archived_at
              ? { command: CommandIDs.restoreModel, label: 'Restore model', args }
              : { command: CommandIDs.archiveModel, label: 'Archive model …', args },
            { command: CommandIDs.deleteModel, label: 'Delete model …', args }
          ]}
        >
          More ▾
        </MenuButton>
      </div>
    </header>
  );
}

/** The number that an address (a number, an alias, `latest`, nothing) stands for. */
export function versionNumber(model: Model, address: string | number | undefined): number | undefined {
  const asked = Number(address);
  if (model.versions.includes(asked) || model.archived_versions.includes(asked)) {
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
