/** What a run is called, how it is, and what can be done with it. */
import type { JSX, ReactNode } from 'react';
import { isEnded, type Run } from '../../api/types';
import { changeRun } from '../../models/actions';
import { type StudioModel, TRIAL_TAG } from '../../models/studio';
import { SWEPT_KINDS } from '../../models/sweeps';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandButton,
  CommandLink,
  Elapsed,
  Name,
  StatusBadge,
  ThinBar,
  When,
  experimentIcon,
  formatNumber,
  runIcon,
  visible
} from '../common';
import { asCurl, asPython, asYaml } from './copies';
import { Editable } from './editable';
import { Menu } from './menu';

export interface RunProps {
  studio: StudioModel;
  run: Run;
  execute: Execute;
}

function Actions({ studio, run, execute }: RunProps): JSX.Element {
  const ended = isEnded(run.status);
  const finished = run.status === 'Completed';
  const copy = (text: string): Promise<unknown> => execute(CommandIDs.copyText, { text });
  const args = { id: run.id };
  // A session that logs from its own process cannot be submitted again.
  const session = run.kind === 'interactive';
  return (
    <div className="jp-mls-RunHead-actions">
      {!ended && (
        <CommandButton
          danger
          primary
          execute={execute}
          command={CommandIDs.stopRun}
          args={args}
          disabled={run.status === 'CancelRequested'}
        >
          {run.status === 'CancelRequested' ? 'Stopping' : 'Stop'}
        </CommandButton>
      )}
      {ended && (
        <CommandButton
          primary={finished}
          execute={execute}
          command={CommandIDs.registerModel}
          args={{ runId: run.id }}
        >
          Register
        </CommandButton>
      )}
      {!session && (
        <CommandButton
          primary={ended && !finished}
          execute={execute}
          command={CommandIDs.retryRun}
          args={args}
        >
          Run again
        </CommandButton>
      )}
      <CommandButton execute={execute} command={CommandIDs.compareRuns} args={{ runIds: [run.id] }}>
        Compare…
      </CommandButton>
      {SWEPT_KINDS.includes(run.kind) && run.status === 'Completed' && (
        <CommandButton
          execute={execute}
          command={CommandIDs.sweepRun}
          args={args}
          title="Try the same work with many parameters"
        >
          Sweep…
        </CommandButton>
      )}
      <Menu
        label="More"
        items={[
          { label: 'Copy id', run: () => copy(run.id) },
          { label: 'Copy as Python', run: () => copy(asPython(run)) },
          { label: 'Copy as YAML', disabled: session, run: () => copy(asYaml(run)) },
          {
            label: 'Copy as curl',
            disabled: session,
            run: () => copy(asCurl(run, absolute(studio.client.url(['runs']))))
          },
          {
            label: 'Delete…',
            danger: true,
            disabled: !ended,
            title: ended ? 'Deletes the run and its files' : 'Stop the run first',
            run: () => execute(CommandIDs.deleteRun, args)
          }
        ]}
      >
        ⋯
      </Menu>
    </div>
  );
}

function absolute(url: string): string {
  return new URL(url, window.location.href).href;
}

/** The line under the tabs' head that tells how far a live run is. */
function ProgressLine({ run }: { run: Run }): JSX.Element | null {
  const { progress } = run;
  if (!progress || isEnded(run.status)) {
    return null;
  }
  const text = `${formatNumber(progress.done)} of ${formatNumber(progress.total)}${progress.text ? ` · ${progress.text}` : ''}`;
  return (
    <div className="jp-mls-RunHead-progress">
      <ThinBar share={progress.total > 0 ? progress.done / progress.total : 0} label={text} />
      <Name text={text} className="jp-mls-quiet" />
    </div>
  );
}

/** Header of the run view; a view of a special kind of run says itself what can be done and how far it is. */
export function Header({
  studio,
  run,
  execute,
  actions,
  state,
  children
}: RunProps & { actions?: ReactNode; state?: ReactNode; children?: ReactNode }): JSX.Element {
  return (
    <header className="jp-mls-RunHead">
      <nav className="jp-mls-RunHead-path" aria-label="Where this run belongs">
        <experimentIcon.react tag="span" className="jp-mls-Icon" aria-hidden="true" />
        <CommandLink
          execute={execute}
          command={CommandIDs.openExperiment}
          args={{ id: run.experiment_id }}
          title="Open the experiment"
        >
          <Name text={run.experiment} />
        </CommandLink>
        {run.parent_run_id && (
          <>
            <span aria-hidden="true">/</span>
            <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: run.parent_run_id }}>
              {run.tags[TRIAL_TAG] === undefined ? 'parent run' : 'sweep'}
            </CommandLink>
            {run.tags[TRIAL_TAG] !== undefined && (
              <>
                <span aria-hidden="true">/</span> trial {visible(run.tags[TRIAL_TAG])}
              </>
            )}
          </>
        )}
      </nav>
      <div className="jp-mls-RunHead-line">
        <div className="jp-mls-RunHead-title">
          <runIcon.react tag="span" className="jp-mls-Icon" aria-hidden="true" />
          <h2>
            <Editable
              value={run.name}
              what="name"
              required
              save={name => changeRun(studio, run.id, { name })}
            >
              <Name text={run.name} />
            </Editable>
          </h2>
          {state ?? <StatusBadge status={run.status} reason={run.reason || undefined} />}
          {run.started_at && <Elapsed run={run} />}
          <span className="jp-mls-quiet">
            {run.ended_at ? (
              <>
                ended <When at={run.ended_at} />
              </>
            ) : run.waits_for ? (
              `waits for ${run.waits_for}`
            ) : null}
          </span>
        </div>
        {actions ?? <Actions studio={studio} run={run} execute={execute} />}
      </div>
      {children ?? <ProgressLine run={run} />}
    </header>
  );
}
