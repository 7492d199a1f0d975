/** The deployments of an endpoint: what each serves, how it does, and what can be done with it. */
import type { JSX } from 'react';

import type { Deployment, Endpoint } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandButton,
  CommandLink,
  MISSING,
  Name,
  StatusBadge,
  Table,
  ThinBar,
  formatMillis,
  formatNumber
} from '../common';
import { RunLink } from '../models/version';

interface Props {
  endpoint: Endpoint;
  studio: StudioModel;
  execute: Execute;
}

/** A version, and the one that still answers while a new one starts. */
function Served({ one, execute }: { one: Deployment; execute: Execute }): JSX.Element {
  const other = one.serving_version !== null && one.serving_version !== one.version;
  return (
    <>
      <CommandLink
        execute={execute}
        command={CommandIDs.openModel}
        args={{ name: one.model, version: one.version }}
      >
        <Name text={one.model} /> v{one.version}
      </CommandLink>
      {other && <span className="jp-mls-quiet"> (v{one.serving_version} answers until it is ready)</span>}
    </>
  );
}

function Kind({ one }: { one: Deployment }): JSX.Element {
  if (!one.executes_code) {
    return <>ONNX</>;
  }
  const what = one.kind === 'script' ? `script ${one.script ?? ''}` : 'original model';
  return (
    <span className="jp-mls-Badge jp-mls-mod-bad" title={`Executes code with each request: ${what}`}>
      {one.kind} · executes code
    </span>
  );
}

function columnsFor({ endpoint, studio, execute }: Props): Column<Deployment>[] {
  const args = (one: Deployment): { name: string; deployment: string } => ({
    name: endpoint.name,
    deployment: one.name
  });
  return [
    { id: 'name', title: 'Deployment', cell: one => <Name text={one.name} /> },
    { id: 'model', title: 'Model', cell: one => <Served one={one} execute={execute} /> },
    { id: 'kind', title: 'Kind', cell: one => <Kind one={one} /> },
    { id: 'state', title: 'State', cell: one => <StatusBadge status={one.state} reason={one.reason} /> },
    { id: 'instances', title: 'Processes', numeric: true, cell: one => formatNumber(one.instances) },
    {
      id: 'traffic',
      title: 'Traffic',
      cell: one => (
        <span className="jp-mls-Inline">
          {one.traffic} %
          <ThinBar share={one.traffic / 100} label={`${one.traffic} % of the requests`} />
        </span>
      )
    },
    { id: 'requests', title: 'Requests', numeric: true, cell: one => formatNumber(one.stats.requests) },
    { id: 'errors', title: 'Errors', numeric: true, cell: one => formatNumber(one.stats.errors) },
    { id: 'p95', title: 'p95', numeric: true, cell: one => formatMillis(one.stats.p95_ms) },
    {
      id: 'run',
      title: 'Log',
      cell: one => (one.run_id ? <RunLink studio={studio} runId={one.run_id} execute={execute} /> : MISSING)
    },
    {
      id: 'actions',
      title: '',
      cell: one => (
        <span className="jp-mls-Actions">
          <CommandButton minimal execute={execute} command={CommandIDs.changeDeployment} args={args(one)}>
            Swap
          </CommandButton>
          <CommandButton minimal execute={execute} command={CommandIDs.setDeployment} args={args(one)}>
            Settings
          </CommandButton>
          <CommandButton minimal execute={execute} command={CommandIDs.restartDeployment} args={args(one)}>
            Restart
          </CommandButton>
          <CommandButton
            minimal
            danger
            execute={execute}
            command={CommandIDs.removeDeployment}
            args={args(one)}
            disabled={one.traffic > 0}
            title={one.traffic > 0 ? 'Give its traffic to others first' : `Remove ${one.name}`}
          >
            Remove
          </CommandButton>
        </span>
      )
    }
  ];
}

/** Why a deployment is not what it shall be. */
function Reasons({ deployments }: Pick<Endpoint, 'deployments'>): JSX.Element | null {
  const told = deployments.filter(one => one.reason !== '');
  if (told.length === 0) {
    return null;
  }
  return (
    <ul className="jp-mls-Reasons">
      {told.map(one => (
        <li key={one.name}>
          <Name text={`${one.name}: ${one.reason}`} className="jp-mls-Wrap" />
        </li>
      ))}
    </ul>
  );
}

/** All deployments, and a way to add one. */
export function Deployments(props: Props): JSX.Element {
  const { endpoint, execute } = props;
  return (
    <>
      {endpoint.deployments.length === 0 ? (
        <p className="jp-mls-quiet">No deployment yet: add one, and it gets all requests.</p>
      ) : (
        <Table
          label="Deployments"
          columns={columnsFor(props)}
          rows={endpoint.deployments}
          rowKey={one => one.name}
        />
      )}
      <Reasons deployments={endpoint.deployments} />
      <div className="jp-mls-Actions">
        <CommandButton execute={execute} command={CommandIDs.addDeployment} args={{ name: endpoint.name }}>
          Add deployment
        </CommandButton>
      </div>
    </>
  );
}
