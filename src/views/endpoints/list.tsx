/** All endpoints. */
import { type JSX, useMemo } from 'react';

import type { BatchEndpoint, Endpoint } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandLink,
  EmptyState,
  ErrorBox,
  Loading,
  Name,
  StatusBadge,
  Table,
  When,
  formatMillis,
  formatNumber,
  plural,
  useResource
} from '../common';
import { deployedText } from './consequences';

function columnsFor(execute: Execute): Column<Endpoint>[] {
  return [
    {
      id: 'name',
      title: 'Name',
      cell: endpoint => (
        <CommandLink execute={execute} command={CommandIDs.openEndpoint} args={{ name: endpoint.name }}>
          <Name text={endpoint.name} />
        </CommandLink>
      )
    },
    {
      id: 'state',
      title: 'State',
      cell: endpoint => <StatusBadge status={endpoint.state} reason={endpoint.reason} />
    },
    { id: 'model', title: 'Model', cell: endpoint => <Name text={deployedText(endpoint)} /> },
    {
      id: 'rate',
      title: 'Requests (1/s)',
      numeric: true,
      cell: ({ stats }) => formatNumber(stats.requests_per_s)
    },
    { id: 'p95', title: 'p95', numeric: true, cell: ({ stats }) => formatMillis(stats.p95_ms) },
    { id: 'requests', title: 'Requests', numeric: true, cell: ({ stats }) => formatNumber(stats.requests) },
    { id: 'errors', title: 'Errors', numeric: true, cell: ({ stats }) => formatNumber(stats.errors) },
    { id: 'last', title: 'Last request', cell: ({ stats }) => <When at={stats.last_request_at} /> }
  ];
}

function batchColumns(execute: Execute): Column<BatchEndpoint>[] {
  return [
    {
      id: 'name',
      title: 'Batch endpoint',
      cell: ({ name }) => (
        <CommandLink execute={execute} command={CommandIDs.openBatch} args={{ name }}>
          <Name text={name} />
        </CommandLink>
      )
    },
    { id: 'model', title: 'Model', cell: one => <Name text={deployedText(one)} /> },
    { id: 'jobs', title: 'Jobs', cell: ({ jobs }) => plural(jobs, 'job') },
    { id: 'updated', title: 'Changed', cell: one => <When at={one.updated_at} /> }
  ];
}

/** The batch endpoints, where there are some. */
function BatchEndpoints({ studio, execute }: { studio: StudioModel; execute: Execute }): JSX.Element | null {
  const resource = useResource(studio.batchEndpoints);
  const { value, error } = resource;
  if (error && !value) {
    return (
      <ErrorBox what="The batch endpoints cannot be shown." error={error} retry={() => resource.refresh()} />
    );
  }
  return value && value.length > 0 ? (
    <Table
      label="Batch endpoints"
      columns={batchColumns(execute)}
      rows={value}
      rowKey={({ name }) => name}
      onOpen={({ name }) => void execute(CommandIDs.openBatch, { name })}
    />
  ) : null;
}

/** The list of endpoints; empty, it says how one comes to be. */
export function EndpointsView({ studio, execute }: { studio: StudioModel; execute: Execute }): JSX.Element {
  const resource = useResource(studio.endpoints);
  const columns = useMemo(() => columnsFor(execute), [execute]);
  const { value, error } = resource;
  return (
    <div className="jp-mls-Noun jp-mls-EndpointsView">
      {error && (
        <ErrorBox
          what={value ? 'This may be out of date.' : 'The endpoints cannot be shown.'}
          error={error}
          retry={() => resource.refresh()}
        />
      )}
      {!value && !error && <Loading what="Reading the endpoints" />}
      {value?.length === 0 && (
        <EmptyState title="No endpoints yet">
          An endpoint answers scoring requests with a registered model, at a URL with keys. Open a version of
          a model and choose Deploy.
        </EmptyState>
      )}
      {value && value.length > 0 && (
        <Table
          label="Endpoints"
          columns={columns}
          rows={value}
          rowKey={endpoint => endpoint.name}
          onOpen={endpoint => void execute(CommandIDs.openEndpoint, { name: endpoint.name })}
        />
      )}
      <BatchEndpoints studio={studio} execute={execute} />
    </div>
  );
}
