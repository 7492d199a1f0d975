/** One endpoint: where it is, who may call it, how it does, and a way to try it. */
import type { JSX } from 'react';

import type { Endpoint } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandButton,
  CommandLink,
  CopyButton,
  ErrorBox,
  MISSING,
  Name,
  StatusBadge,
  When,
  endpointIcon,
  useResource,
  Section,
  Whole
} from '../common';
import { CanaryView } from './canary';
import { Deployments } from './deployments';
import { Differences } from './differences';
import { KeysTable } from './keys';
import { Counts, LiveCharts } from './live';
import { EndpointPrograms } from './programs';
import { StickyHeader } from './sticky';
import { TrafficEditor } from './traffic';
import { TryIt } from './tryit';

interface Props {
  studio: StudioModel;
  execute: Execute;
}

const LOG_LINES = 200;

function Actions({ endpoint, execute }: { endpoint: Endpoint; execute: Execute }): JSX.Element {
  const args = { name: endpoint.name };
  const runs = endpoint.state === 'Ready' || endpoint.state === 'Starting';
  return (
    <div className="jp-mls-Actions">
      <CommandButton primary={!runs} execute={execute} command={CommandIDs.restartEndpoint} args={args}>
        Restart
      </CommandButton>
      <CommandButton execute={execute} command={CommandIDs.stopEndpoint} args={args} disabled={!runs}>
        Stop
      </CommandButton>
      <CommandButton execute={execute} command={CommandIDs.describeEndpoint} args={args}>
        Describe
      </CommandButton>
      <CommandButton minimal danger execute={execute} command={CommandIDs.deleteEndpoint} args={args}>
        Delete
      </CommandButton>
    </div>
  );
}

function Header({ endpoint, execute }: { endpoint: Endpoint; execute: Execute }): JSX.Element {
  const { name, state, reason, created_at: at, user } = endpoint;
  return (
    <header className="jp-mls-Head">
      <endpointIcon.react tag="span" className="jp-mls-Head-icon" aria-hidden="true" />
      <h1>
        <Name text={name} />
      </h1>
      <StatusBadge status={state} reason={reason} />
      <span className="jp-mls-quiet">
        deployed <When at={at} /> by <Name text={user || MISSING} />
      </span>
      <Actions endpoint={endpoint} execute={execute} />
    </header>
  );
}

function Address(props: { name: string; url: string; execute: Execute }): JSX.Element {
  const { name, url, execute } = props;
  return (
    <div className="jp-mls-Address">
      <span className="jp-mls-quiet">{name}</span>
      <code>{url}</code>
      <CopyButton execute={execute} title={`Copy the ${name}`} text={url} />
    </div>
  );
}

/** Where requests go: the endpoint itself with a key, and the same behind Jupyter's own login. */
function Addresses({ endpoint, studio, execute }: Props & { endpoint: Endpoint }): JSX.Element {
  const behindJupyter = studio.client.url(['endpoints', endpoint.name, 'score']);
  return (
    <>
      {endpoint.scoring_url ? (
        <Address name="URL" url={endpoint.scoring_url} execute={execute} />
      ) : (
        <p className="jp-mls-quiet">
          {endpoint.state === 'Starting'
            ? 'The URL is there when the endpoint is ready.'
            : 'The endpoint does not run: Restart brings its URL back.'}
        </p>
      )}
      <Address name="URL behind Jupyter's login" url={behindJupyter} execute={execute} />
    </>
  );
}

function LogTail({ studio, runId, execute }: Props & { runId: string }): JSX.Element {
  const log = useResource(studio.log(runId));
  const lines = (log.value?.text ?? '').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
  return (
    <>
      {log.error && (
        <ErrorBox what="The log cannot be shown." error={log.error} retry={() => log.refresh()} />
      )}
      <pre className="jp-mls-Code jp-mls-LogTail" tabIndex={0} aria-label="Log of the endpoint">
        {lines === '' ? 'Nothing written yet.' : lines}
      </pre>
      <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: runId }}>
        The whole log
      </CommandLink>
    </>
  );
}

/** Why an endpoint does not answer, where that is known. */
function Reason({ endpoint }: { endpoint: Endpoint }): JSX.Element | null {
  const { state, reason } = endpoint;
  if (reason === '' || state === 'Ready') {
    return null;
  }
  return (
    <div className={`jp-mls-Notice jp-mls-mod-${state === 'Failed' ? 'bad' : 'info'}`} role="status">
      <div className="jp-mls-Notice-text">
        <Name text={reason} className="jp-mls-Wrap" />
      </div>
    </div>
  );
}

function Body({ endpoint, studio, execute }: Props & { endpoint: Endpoint }): JSX.Element {
  const { signature, deployments, description } = endpoint;
  const runId = endpoint.run_id;
  const copied = deployments.some(one => one.mirrored.copies + one.mirrored.failed > 0);
  return (
    <>
      <Header endpoint={endpoint} execute={execute} />
      <Reason endpoint={endpoint} />
      {description !== '' && <p className="jp-mls-Wrap">{description}</p>}
      <Addresses endpoint={endpoint} studio={studio} execute={execute} />
      <Section title="Deployments">
        <Deployments endpoint={endpoint} studio={studio} execute={execute} />
      </Section>
      {deployments.length > 1 && (
        <div className="jp-mls-Columns">
          <Section title="Traffic">
            <TrafficEditor endpoint={endpoint} execute={execute} />
            <StickyHeader endpoint={endpoint} execute={execute} />
          </Section>
          <Section title="Canary release">
            <CanaryView endpoint={endpoint} execute={execute} />
          </Section>
        </div>
      )}
      {copied && (
        <Section title="Compared answers">
          <Differences endpoint={endpoint} studio={studio} />
        </Section>
      )}
      <Section title="Keys">
        <KeysTable endpoint={endpoint} execute={execute} />
      </Section>
      <Section title="Requests">
        <Counts endpoint={endpoint} />
        {runId && <LiveCharts studio={studio} runId={runId} />}
      </Section>
      {signature && (
        <Section title="Try it">
          <TryIt
            key={deployments.map(one => `${one.model} ${one.version}`).join(', ')}
            endpoint={endpoint}
            signature={signature}
            execute={execute}
            studio={studio}
          />
        </Section>
      )}
      {signature && (
        <Section title="Programs">
          <EndpointPrograms endpoint={endpoint} studio={studio} execute={execute} />
        </Section>
      )}
      {runId && (
        <Section title="Log">
          <LogTail studio={studio} runId={runId} execute={execute} />
        </Section>
      )}
    </>
  );
}

/** An endpoint in full. */
export function EndpointView(props: Props & { name: string }): JSX.Element {
  const { studio, name, execute } = props;
  return (
    <div className="jp-mls-Noun jp-mls-EndpointView">
      <Whole what="endpoint" resource={studio.endpoint(name)}>
        {endpoint => <Body endpoint={endpoint} studio={studio} execute={execute} />}
      </Whole>
    </div>
  );
}
