/** One version of a model: what it is, whether it may be served, and the proof. */
import type { JSX } from 'react';

import type { ModelVersion } from '../../api/types';
import { changeVersion } from '../../models/actions';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandButton,
  CommandLink,
  ErrorBox,
  KeyValueTable,
  Loading,
  MISSING,
  Name,
  StatusBadge,
  TagEditor,
  When,
  MenuButton,
  formatBytes,
  formatNumber,
  plural,
  useResource,
  Section
} from '../common';
import { Aliases } from './aliases';
import { Decisions } from './decisions';
import { FilesTable, Hash } from './files';
import { GraphView } from './graph';
import { Journal, Lineage, Users } from './history';
import { paritySentence, statusSentence, thresholdSentence } from './parity';
import { ParityView } from './parityview';
import { ProfileView } from './profile';
import { SampleTable } from './sample';
import { SignatureTable } from './signature';

interface Props {
  studio: StudioModel;
  execute: Execute;
}

const LOG_LINES = 6;

/** The last lines of the run that converts, and a way to the whole of it. */
function ConversionLog({ studio, runId, execute }: Props & { runId: string }): JSX.Element {
  const log = useResource(studio.log(runId));
  const tail = (log.value?.text ?? '').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
  return (
    <div className="jp-mls-ConversionLog">
      {tail !== '' && <pre className="jp-mls-Code">{tail}</pre>}
      <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: runId, tab: 'logs' }}>
        Log of the conversion
      </CommandLink>
    </div>
  );
}

function State({ version, studio, execute }: Props & { version: ModelVersion }): JSX.Element {
  const { status, reason, parity, convert_run_id: runId } = version;
  const tone = status === 'Refused' ? 'bad' : status === 'Converting' ? 'info' : 'good';
  return (
    <div className={`jp-mls-Notice jp-mls-mod-${tone}`} role="status" data-testid="version-state">
      <div className="jp-mls-Notice-text">
        <strong>{statusSentence(status)}</strong>
        {reason !== '' && <Name text={reason} className="jp-mls-Wrap" />}
        {status === 'Refused' && parity && <span>{paritySentence(parity)}</span>}
        {runId && status === 'Converting' && (
          <ConversionLog studio={studio} runId={runId} execute={execute} />
        )}
        {runId && status === 'Refused' && (
          <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: runId, tab: 'logs' }}>
            Log of the conversion
          </CommandLink>
        )}
      </div>
    </div>
  );
}

function Facts({ version, studio, execute }: Props & { version: ModelVersion }): JSX.Element {
  const runId = version.run_id;
  return (
    <KeyValueTable
      label={`Version ${version.version}`}
      rows={[
        ['Framework', <Name key="framework" text={version.framework || MISSING} />],
        [
          'Source run',
          runId ? <RunLink key="run" studio={studio} runId={runId} execute={execute} /> : MISSING
        ],
        ['Source folder', <Name key="source" text={version.source || MISSING} />],
        ['Size', `${formatBytes(version.size_bytes)} in ${plural(version.files.length, 'file')}`],
        ...onnxFacts(version),
        ...measuredFacts(version),
        ['SHA-256', <Hash key="hash" hash={version.sha256} execute={execute} />],
        ['Registered by', <Name key="user" text={version.user || MISSING} />],
        ['Registered', <When key="when" at={version.created_at} />],
        [
          'Tags',
          <TagEditor
            key="tags"
            tags={version.tags}
            onChange={tags => changeVersion(studio, version.model, version.version, { tags })}
          />
        ]
      ]}
    />
  );
}

/** The converted file, which is what an endpoint serves. */
function onnxFacts({ files, parity }: ModelVersion): [string, string][] {
  const onnx = files.find(file => file.path.endsWith('.onnx') || file.path === 'models.zip');
  if (!onnx) {
    return [];
  }
  const opset = parity ? `, opset ${parity.opset}` : '';
  return [['ONNX', `${onnx.path}, ${formatBytes(onnx.size_bytes)}${opset}`]];
}

/** Latency and decision threshold, where they are known. */
function measuredFacts({ profile, threshold }: ModelVersion): [string, string][] {
  const latency: [string, string][] = profile
    ? [
        [
          'Latency',
          `${formatNumber(profile.one_row_ms)} ms for one row, ${formatNumber(profile.hundred_rows_ms)} ms for 100 (median, ${plural(profile.threads, 'thread')})`
        ]
      ]
    : [];
  return threshold ? [...latency, ['Threshold', thresholdSentence(threshold)]] : latency;
}

/** A run's name that leads to it; its id when the run is gone. */
export function RunLink({ studio, runId, execute }: Props & { runId: string }): JSX.Element {
  const run = useResource(studio.run(runId));
  return run.error && !run.value ? (
    <span title={run.error.message}>
      <Name text={runId} /> (deleted)
    </span>
  ) : (
    <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: runId }}>
      <Name text={run.value?.name ?? runId} />
    </CommandLink>
  );
}

function Actions({ version, execute }: { version: ModelVersion; execute: Execute }): JSX.Element {
  const { model: name, version: number, status } = version;
  const args = { name, version: number };
  const ready = status === 'Ready';
  const archived = version.archived_at !== null && version.archived_at !== undefined;
  const one = ready && !isMany(version);
  const barred = archived
    ? 'It is archived: restore it first.'
    : version.approval.status === 'Rejected'
      ? 'It was rejected: it is not deployed anew.'
      : null;
  return (
    <div className="jp-mls-Actions">
      <CommandButton
        primary
        execute={execute}
        command={CommandIDs.deploy}
        args={{ model: name, version: number }}
        disabled={!ready || barred !== null}
        title={barred ?? (ready ? `Serve version ${number} behind an endpoint` : statusSentence(status))}
      >
        Deploy
      </CommandButton>
      <CommandButton execute={execute} command={CommandIDs.packageVersion} args={args} disabled={!ready}>
        Package …
      </CommandButton>
      <CommandButton execute={execute} command={CommandIDs.downloadVersion} args={args}>
        Download
      </CommandButton>
      <MenuButton
        title={`More for version ${number}`}
        execute={execute}
        items={[
          { command: CommandIDs.showCard, label: 'Model card', args },
          {
            command: CommandIDs.setThreshold,
            label: 'Set threshold …',
            args,
            disabled: !one || version.signature?.labels.length !== 2
          },
          {
            command: CommandIDs.deriveVersion,
            label: 'Quantise …',
            args: { ...args, kind: 'quantise' },
            disabled: !one
          },
          {
            command: CommandIDs.deriveVersion,
            label: 'Upgrade opset …',
            args: { ...args, kind: 'upgrade' },
            disabled: !one
          },
          { command: CommandIDs.profileVersion, label: 'Profile …', args, disabled: !one },
          { command: CommandIDs.describeVersion, label: 'Edit notes …', args },
          archived
            ? { command: CommandIDs.restoreVersion, label: 'Restore', args }
            : { command: CommandIDs.archiveVersion, label: 'Archive …', args },
          { command: CommandIDs.deleteVersion, label: 'Delete version …', args }
        ]}
      >
        More ▾
      </MenuButton>
    </div>
  );
}

/** Whether it has a model for each value of some columns: what is for one ONNX file is not for it. */
function isMany({ signature }: ModelVersion): boolean {
  return (signature?.routed_by ?? []).length > 0;
}

/** A version in full. */
export function VersionView(props: Props & { name: string; version: string | number }): JSX.Element {
  const { studio, name, execute } = props;
  const resource = useResource(studio.version(name, props.version));
  const version = resource.value;
  if (!version) {
    return resource.error ? (
      <ErrorBox
        what={`Version ${props.version} cannot be shown.`}
        error={resource.error}
        retry={() => resource.refresh()}
      />
    ) : (
      <Loading what={`Reading version ${props.version}`} />
    );
  }
  const { signature, parity, sample } = version;
  const many = isMany(version);
  return (
    <article className="jp-mls-Version" aria-label={`Version ${version.version}`}>
      <header className="jp-mls-Version-head">
        <h2>Version {version.version}</h2>
        <StatusBadge status={version.status} reason={version.reason} />
        <Aliases model={name} aliases={version.aliases} version={version.version} execute={execute} />
        <Actions version={version} execute={execute} />
      </header>
      <State version={version} studio={studio} execute={execute} />
      <Decisions version={version} execute={execute} />
      {version.description !== '' && (
        <Section title="Notes">
          <p className="jp-mls-Wrap">{version.description}</p>
        </Section>
      )}
      <div className="jp-mls-Columns">
        <Section title="Facts">
          <Facts version={version} studio={studio} execute={execute} />
        </Section>
        {signature && (
          <Section title="Signature">
            <SignatureTable signature={signature} />
          </Section>
        )}
      </div>
      {parity && (
        <Section title="Parity">
          <ParityView report={parity} />
        </Section>
      )}
      {version.status === 'Ready' && !many && (
        <>
          <Section title="Graph">
            <GraphView studio={studio} name={name} version={version.version} />
          </Section>
          <Section title="Profile">
            <ProfileView
              studio={studio}
              name={name}
              version={version.version}
              since={version.created_at}
              execute={execute}
            />
          </Section>
        </>
      )}
      <Section title="Files">
        <FilesTable version={version} execute={execute} />
      </Section>
      {signature && sample !== null && sample !== undefined && (
        <Section title="Sample">
          <SampleTable signature={signature} sample={sample} />
        </Section>
      )}
      <div className="jp-mls-Columns">
        <Section title="Used by">
          <Users studio={studio} name={name} version={version.version} execute={execute} />
        </Section>
        <Section title="Lineage">
          <Lineage studio={studio} name={name} version={version.version} execute={execute} />
        </Section>
      </div>
      <Section title="Journal">
        <Journal studio={studio} name={name} version={version.version} />
      </Section>
    </article>
  );
}
