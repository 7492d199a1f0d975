/** Rows of experiments, models and endpoints. */
import type { JSX } from 'react';
import type { BatchEndpoint, Endpoint, Experiment, Model } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Name,
  StatusBadge,
  endpointIcon,
  experimentIcon,
  formatMillis,
  formatNumber,
  modelIcon,
  plural,
  statusLook,
  visible
} from '../common';
import { Row } from './sections';

interface RowProps {
  studio: StudioModel;
  execute: Execute;
}

export function ExperimentRow({ studio, execute, item }: RowProps & { item: Experiment }): JSX.Element {
  const best = item.best_run;
  return (
    <Row
      kind="experiment"
      data={{ 'data-experiment': item.id }}
      selected={studio.selection?.kind === 'experiment' && studio.selection.id === item.id}
      onOpen={() => void execute(CommandIDs.openExperiment, { id: item.id })}
    >
      <experimentIcon.react tag="span" className="jp-mls-Row-icon" aria-hidden="true" />
      <Name text={item.name} />
      <span className="jp-mls-RunRow-note">
        {plural(item.run_count, 'run')}
        {item.live_count > 0 && `, ${item.live_count} live`}
      </span>
      {best && (
        <span
          className="jp-mls-RunRow-metric"
          title={`Best ${visible(item.primary_metric ?? '')}: ${visible(best.name)}`}
        >
          <span className="jp-mls-RunRow-metricName">best</span>
          <span className="jp-mls-Num">{formatNumber(best.value)}</span>
        </span>
      )}
    </Row>
  );
}

export function ModelRow({ studio, execute, item }: RowProps & { item: Model }): JSX.Element {
  const aliases = Object.keys(item.aliases);
  return (
    <Row
      kind="model"
      data={{ 'data-model': item.name, 'data-version': item.latest?.version ?? 'latest' }}
      selected={studio.selection?.kind === 'model' && studio.selection.id === item.name}
      onOpen={() => void execute(CommandIDs.openModel, { name: item.name })}
    >
      <modelIcon.react tag="span" className="jp-mls-Row-icon" aria-hidden="true" />
      <Name text={item.name} />
      <span
        className="jp-mls-RunRow-note"
        title={aliases.length > 0 ? `Aliases: ${visible(aliases.join(', '))}` : undefined}
      >
        {item.latest ? `v${item.latest.version}` : 'no version'}
        {aliases[0] !== undefined && ` ${visible(aliases[0]).slice(0, 20)}`}
      </span>
      {item.latest && (
        <span className="jp-mls-RunRow-metric">
          <StatusBadge status={item.latest.status} reason={item.latest.reason} />
        </span>
      )}
    </Row>
  );
}

export function EndpointRow({ studio, execute, item }: RowProps & { item: Endpoint }): JSX.Element {
  const { stats } = item;
  const ready = item.state === 'Ready';
  return (
    <Row
      kind="endpoint"
      data={{ 'data-endpoint': item.name, 'data-status': item.state }}
      selected={studio.selection?.kind === 'endpoint' && studio.selection.id === item.name}
      onOpen={() => void execute(CommandIDs.openEndpoint, { name: item.name })}
    >
      <StatusBadge status={item.state} reason={item.reason} word={false} />
      <Name text={item.name} />
      <span className="jp-mls-RunRow-note">
        {ready ? `${formatNumber(stats.requests_per_s)} req/s` : statusLook(item.state).word}
      </span>
      {ready && stats.p95_ms !== null && (
        <span className="jp-mls-RunRow-metric" title="95 of 100 requests of the last minute were faster">
          <span className="jp-mls-RunRow-metricName">p95</span>
          <span className="jp-mls-Num">{formatMillis(stats.p95_ms)}</span>
        </span>
      )}
    </Row>
  );
}

export function BatchRow({ studio, execute, item }: RowProps & { item: BatchEndpoint }): JSX.Element {
  return (
    <Row
      kind="batch"
      data={{ 'data-batch': item.name }}
      selected={studio.selection?.kind === 'batch' && studio.selection.id === item.name}
      onOpen={() => void execute(CommandIDs.openBatch, { name: item.name })}
    >
      <endpointIcon.react tag="span" className="jp-mls-Row-icon" aria-hidden="true" />
      <Name text={item.name} />
      <span className="jp-mls-RunRow-note">batch</span>
      <span className="jp-mls-RunRow-metric">{plural(item.jobs, 'job')}</span>
    </Row>
  );
}
