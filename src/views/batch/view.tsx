/** One batch endpoint: what scores, and what was scored. */
import type { JSX } from 'react';

import type { BatchDeployment, BatchEndpoint } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandButton,
  CommandLink,
  CopyButton,
  MISSING,
  Name,
  Table,
  When,
  endpointIcon,
  formatNumber,
  Section,
  Whole
} from '../common';
import { Jobs } from './jobs';

interface Props {
  studio: StudioModel;
  execute: Execute;
}

function Header({ endpoint, execute }: { endpoint: BatchEndpoint; execute: Execute }): JSX.Element {
  const { name, created_at: at, user } = endpoint;
  const args = { name };
  return (
    <header className="jp-mls-Head">
      <endpointIcon.react tag="span" className="jp-mls-Head-icon" aria-hidden="true" />
      <h1>
        <Name text={name} />
      </h1>
      <span className="jp-mls-Badge">batch</span>
      <span className="jp-mls-quiet">
        made <When at={at} /> by <Name text={user || MISSING} />
      </span>
      <div className="jp-mls-Actions">
        <CommandButton primary execute={execute} command={CommandIDs.scoreBatch} args={args}>
          Score a data set
        </CommandButton>
        <CommandButton execute={execute} command={CommandIDs.describeBatch} args={args}>
          Describe
        </CommandButton>
        <CommandButton minimal danger execute={execute} command={CommandIDs.deleteBatch} args={args}>
          Delete
        </CommandButton>
      </div>
    </header>
  );
}

function Kind({ one }: { one: BatchDeployment }): JSX.Element {
  return one.script === null ? (
    <>ONNX</>
  ) : (
    <span className="jp-mls-Badge jp-mls-mod-bad" title={`Executes ${one.script} with each mini-batch`}>
      script · executes code
    </span>
  );
}

function RowActions(props: { endpoint: BatchEndpoint; one: BatchDeployment; execute: Execute }): JSX.Element {
  const { endpoint, one, execute } = props;
  const args = { name: endpoint.name, deployment: one.name };
  const isDefault = one.name === endpoint.default_deployment;
  return (
    <span className="jp-mls-Actions">
      <CommandButton minimal execute={execute} command={CommandIDs.changeBatch} args={args}>
        Change
      </CommandButton>
      <CommandButton
        minimal
        execute={execute}
        command={CommandIDs.setDefaultBatch}
        args={args}
        disabled={isDefault}
      >
        Make default
      </CommandButton>
      <CommandButton
        minimal
        danger
        execute={execute}
        command={CommandIDs.removeBatchDeployment}
        args={args}
        disabled={isDefault}
        title={isDefault ? 'Make another one the default first' : `Remove ${one.name}`}
      >
        Remove
      </CommandButton>
    </span>
  );
}

function columnsFor(endpoint: BatchEndpoint, execute: Execute): Column<BatchDeployment>[] {
  return [
    {
      id: 'name',
      title: 'Deployment',
      cell: one => (
        <span className="jp-mls-Inline">
          <Name text={one.name} />
          {one.name === endpoint.default_deployment && <span className="jp-mls-Badge">default</span>}
        </span>
      )
    },
    {
      id: 'model',
      title: 'Model',
      cell: one => (
        <CommandLink
          execute={execute}
          command={CommandIDs.openModel}
          args={{ name: one.model, version: one.version }}
        >
          <Name text={one.model} /> v{one.version}
        </CommandLink>
      )
    },
    { id: 'kind', title: 'Kind', cell: one => <Kind one={one} /> },
    {
      id: 'size',
      title: 'Mini-batch',
      numeric: true,
      cell: one => formatNumber(one.settings.mini_batch_size)
    },
    {
      id: 'processes',
      title: 'Processes',
      numeric: true,
      cell: one => formatNumber(one.settings.max_concurrency)
    },
    {
      id: 'output',
      title: 'Answers',
      cell: ({ settings }) =>
        settings.output_action === 'append_row' ? <Name text={settings.output_file_name} /> : 'only a summary'
    },
    {
      id: 'actions',
      title: '',
      cell: one => <RowActions endpoint={endpoint} one={one} execute={execute} />
    }
  ];
}

/** The same as Score a data set, in Python. */
function Python({ name, execute }: { name: string; execute: Execute }): JSX.Element {
  const code = `jupyter_mlstudio.batch_endpoint(${JSON.stringify(name)}).invoke("data/*.csv")`;
  return (
    <div className="jp-mls-Address">
      <span className="jp-mls-quiet">Python</span>
      <code>{code}</code>
      <CopyButton execute={execute} title="Copy the line of Python" text={code} />
    </div>
  );
}

function Body({ endpoint, studio, execute }: Props & { endpoint: BatchEndpoint }): JSX.Element {
  const { name, description } = endpoint;
  return (
    <>
      <Header endpoint={endpoint} execute={execute} />
      {description !== '' && <p className="jp-mls-Wrap">{description}</p>}
      <Python name={name} execute={execute} />
      <Section title="Jobs">
        <Jobs studio={studio} name={name} execute={execute} />
      </Section>
      <Section title="Deployments">
        <Table
          label="Deployments"
          columns={columnsFor(endpoint, execute)}
          rows={endpoint.deployments}
          rowKey={one => one.name}
        />
        <div className="jp-mls-Actions">
          <CommandButton execute={execute} command={CommandIDs.addBatchDeployment} args={{ name }}>
            Add deployment
          </CommandButton>
        </div>
      </Section>
    </>
  );
}

/** A batch endpoint in full. */
export function BatchView(props: Props & { name: string }): JSX.Element {
  const { studio, name, execute } = props;
  return (
    <div className="jp-mls-Noun jp-mls-EndpointView jp-mls-BatchView">
      <Whole what="batch endpoint" resource={studio.batchEndpoint(name)}>
        {endpoint => <Body endpoint={endpoint} studio={studio} execute={execute} />}
      </Whole>
    </div>
  );
}
