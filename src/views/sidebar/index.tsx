/** The sidebar: everything of the workspace in one narrow column. */
import { addIcon } from '@jupyterlab/ui-components';
import { type JSX, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { isLive } from '../../api/types';
import type { RunsModel } from '../../models/runs';
import { NO_PARTS, type StudioModel, WORK_KINDS } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, CommandButton, MenuButton, Name, useResource, useSignal, visible } from '../common';
import { TargetRow } from './compute';
import { BatchRow, EndpointRow, ExperimentRow, ModelRow } from './lists';
import { RunRow } from './runrow';
import { Rows, Section, walkRows } from './sections';
import { Connection, FirstSteps } from './states';

interface Props {
  studio: StudioModel;
  execute: Execute;
}

/** Waits until the user pauses, so that not every letter becomes a request. */
function useSettled(text: string, delayMs: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), text === '' ? 0 : delayMs);
    return () => window.clearTimeout(timer);
  }, [text, delayMs]);
  return settled;
}

/** The recent runs, or those that the search finds on the server. */
function useRuns(studio: StudioModel, text: string): RunsModel {
  const found = useMemo(
    () => (text === '' ? null : studio.runs({ q: text, kind: [...WORK_KINDS], filter: NO_PARTS }, 50)),
    [studio, text]
  );
  useEffect(() => () => found?.dispose(), [found]);
  return useResource(found ?? studio.recentRuns);
}

function Header({ studio, execute }: Props): JSX.Element {
  const workspaces = useResource(studio.workspaces);
  const current = workspaces.value?.find(workspace => workspace.current);
  return (
    <header className="jp-mls-Sidebar-header">
      <h1>ML Studio</h1>
      {current && (
        <span
          className="jp-mls-Sidebar-workspace"
          title={`Workspace ${visible(current.name)}: ${visible(current.path)}`}
        >
          <Name text={current.name} />
        </span>
      )}
      <MenuButton
        icon={addIcon}
        title="New"
        execute={execute}
        items={[
          { command: CommandIDs.submitNotebook, label: 'Submit this notebook as run …' },
          { command: CommandIDs.submitFile, label: 'Submit the selected file as run …' },
          { command: CommandIDs.newAutoML, label: 'New AutoML run …' },
          { command: CommandIDs.newExperiment, label: 'New experiment …' },
          { command: CommandIDs.registerFile, label: 'Register a file as model …' }
        ]}
      />
    </header>
  );
}

function Runs({ studio, execute, text }: Props & { text: string }): JSX.Element {
  const runs = useRuns(studio, text);
  const experiments = useResource(studio.experiments);
  const byId = useMemo(() => new Map(experiments.value?.map(one => [one.id, one])), [experiments.value]);
  const items = runs.value?.items ?? [];
  const live = items.filter(run => isLive(run.status)).length;
  const more = (runs.value?.total ?? 0) - items.length;
  return (
    <Section
      studio={studio}
      id="runs"
      title="Runs"
      note={live > 0 ? `${live} live` : (runs.value?.total ?? '')}
    >
      <Rows
        resource={runs}
        items={items}
        what="runs"
        empty={text ? 'No run is called that.' : 'No runs yet.'}
        row={run => (
          <RunRow
            key={run.id}
            studio={studio}
            run={run}
            experiment={byId.get(run.experiment_id)}
            execute={execute}
          />
        )}
      />
      {more > 0 && (
        <Button minimal className="jp-mls-Section-more" onClick={() => void runs.more()}>
          {more} more
        </Button>
      )}
    </Section>
  );
}

function Lists({ studio, execute, text }: Props & { text: string }): JSX.Element {
  const experiments = useResource(studio.experiments);
  const models = useResource(studio.models);
  const endpoints = useResource(studio.endpoints);
  const batch = useResource(studio.batchEndpoints);
  const compute = useResource(studio.compute);
  const wanted = text.toLowerCase();
  const named = <T extends { name: string }>(items: readonly T[] | undefined): T[] =>
    (items ?? []).filter(item => item.name.toLowerCase().includes(wanted));
  const count = (items: readonly { name: string }[] | undefined): number | undefined =>
    items && named(items).length;
  const props = { studio, execute };
  const served = endpoints.value && batch.value && [...endpoints.value, ...batch.value];
  return (
    <>
      <Section
        studio={studio}
        id="experiments"
        title="Experiments"
        note={count(experiments.value)}
        action={
          <CommandButton
            minimal
            icon={addIcon}
            title="New experiment"
            execute={execute}
            command={CommandIDs.newExperiment}
          />
        }
      >
        <Rows
          resource={experiments}
          items={named(experiments.value)}
          what="experiments"
          empty={text ? 'No experiment is called that.' : 'Runs are gathered in experiments.'}
          row={item => <ExperimentRow key={item.id} {...props} item={item} />}
        />
      </Section>
      <Section
        studio={studio}
        id="models"
        title="Models"
        note={count(models.value)}
        action={
          <CommandButton
            minimal
            icon={addIcon}
            title="Register a file as model"
            execute={execute}
            command={CommandIDs.registerFile}
          />
        }
      >
        <Rows
          resource={models}
          items={named(models.value)}
          what="models"
          empty={text ? 'No model is called that.' : 'Register the best run to keep its model here.'}
          row={item => <ModelRow key={item.name} {...props} item={item} />}
        />
      </Section>
      <Section studio={studio} id="endpoints" title="Endpoints" note={count(served ?? endpoints.value)}>
        {(named(endpoints.value).length > 0 || named(batch.value).length === 0) && (
          <Rows
            resource={endpoints}
            items={named(endpoints.value)}
            what="endpoints"
            empty={text ? 'No endpoint is called that.' : 'Deploy a model version to score over HTTP.'}
            row={item => <EndpointRow key={item.name} {...props} item={item} />}
          />
        )}
        {(named(batch.value).length > 0 || (batch.error && !batch.value)) && (
          <Rows
            resource={batch}
            items={named(batch.value)}
            what="batch endpoints"
            empty=""
            row={item => <BatchRow key={item.name} {...props} item={item} />}
          />
        )}
      </Section>
      {!text && (
        <Section studio={studio} id="compute" title="Compute">
          <Rows
            resource={compute}
            items={compute.value ?? []}
            what="compute targets"
            empty="No compute target."
            row={target => <TargetRow key={target.name} target={target} />}
          />
        </Section>
      )}
    </>
  );
}

export function Sidebar({ studio, execute }: Props): JSX.Element {
  useSignal(studio.selectionChanged);
  useSignal(studio.feed.connectedChanged);
  const missing = studio.feed.error?.status === 404;
  const [text, setText] = useState('');
  const settled = useDeferredValue(useSettled(text.trim(), 200));
  const runs = useResource(studio.recentRuns);
  const models = useResource(studio.models);
  const fresh = runs.value?.total === 0 && models.value?.length === 0 && !settled;
  return (
    <div className="jp-mls-Sidebar" onKeyDown={walkRows}>
      <Header studio={studio} execute={execute} />
      <div className="jp-mls-Search">
        <input
          type="search"
          className="jp-mod-styled"
          placeholder="Search runs, models, endpoints"
          aria-label="Search runs, experiments, models and endpoints"
          value={text}
          onChange={event => setText(event.target.value)}
        />
      </div>
      <Connection studio={studio} execute={execute} />
      {!missing && (
        <div className="jp-mls-Sidebar-body">
          {fresh ? (
            <FirstSteps studio={studio} execute={execute} />
          ) : (
            <Runs studio={studio} execute={execute} text={settled} />
          )}
          <Lists studio={studio} execute={execute} text={settled} />
        </div>
      )}
    </div>
  );
}
