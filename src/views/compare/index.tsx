/** Runs side by side: curves, differences, ROC, relations. */
import { closeIcon } from '@jupyterlab/ui-components';
import { type JSX, useState } from 'react';
import type { Run } from '../../api/types';
import { colorOf } from '../../charts/palette';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Button,
  CommandLink,
  EmptyState,
  ErrorBox,
  Loading,
  Name,
  StatusBadge,
  type Tab,
  Tabs,
  plural
} from '../common';
import { ConfusionDifference } from './confusion';
import { Curves } from './curves';
import { useResources } from './hooks';
import { AddRuns } from './add';
import { Relations } from './relations';
import { RocOverlay } from './roc';
import { Differences } from './table';

export interface CompareViewProps {
  studio: StudioModel;
  runIds: readonly string[];
  execute: Execute;
}

export interface ComparedProps {
  studio: StudioModel;
  /** In the order of their colours. */
  runs: readonly Run[];
  execute: Execute;
}

/** More than this cannot be told apart. */
export const MOST_RUNS = 50;

const TABS = {
  curves: ['Curves', Curves],
  table: ['Differences', Differences],
  roc: ['ROC', RocOverlay],
  confusion: ['Confusion', ConfusionDifference],
  relations: ['Relations', Relations]
} as const satisfies Record<string, readonly [string, (props: ComparedProps) => JSX.Element]>;

type CompareTab = keyof typeof TABS;

const LABELS: Tab<CompareTab>[] = (Object.keys(TABS) as CompareTab[]).map(id => ({ id, label: TABS[id][0] }));

/** A run's colour, and its name that leads to it. */
export function RunName({ run, index, execute }: { run: Run; index: number; execute: Execute }): JSX.Element {
  return (
    <>
      <span className="jp-mls-Swatch" style={{ background: colorOf(index) }} aria-hidden="true" />
      <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: run.id }}>
        <Name text={run.name} />
      </CommandLink>
    </>
  );
}

function Chosen({
  runs,
  execute,
  onRemove
}: Omit<ComparedProps, 'studio'> & { onRemove: (id: string) => void }): JSX.Element {
  return (
    <ul className="jp-mls-Chips" aria-label="Runs that are compared">
      {runs.map((run, index) => (
        <li key={run.id} className="jp-mls-Chip">
          <RunName run={run} index={index} execute={execute} />
          <StatusBadge status={run.status} reason={run.reason} word={false} />
          <Button minimal icon={closeIcon} title={`Leave out ${run.name}`} onClick={() => onRemove(run.id)} />
        </li>
      ))}
    </ul>
  );
}

/** The comparison; runs can be added and left out in place. */
export function CompareView({ studio, runIds, execute }: CompareViewProps): JSX.Element {
  const [ids, setIds] = useState<readonly string[]>(() => [...new Set(runIds)].slice(0, MOST_RUNS));
  const [tab, setTab] = useState<CompareTab>('curves');
  // Another selection in the table above begins anew; what was added or left out here holds for its own selection.
  const [given, setGiven] = useState(runIds);
  if (given !== runIds && given.join() !== runIds.join()) {
    setGiven(runIds);
    setIds([...new Set(runIds)].slice(0, MOST_RUNS));
  }
  const models = useResources(() => ids.map(id => studio.run(id)), ids.join());
  const runs = models.flatMap(model => model.value ?? []);
  const failed = models.filter(model => model.error && !model.value);
  const Body = TABS[tab][1];
  return (
    <div className="jp-mls-Compare">
      <header className="jp-mls-RunHead">
        <div className="jp-mls-RunHead-line">
          <h2>Compare {plural(ids.length, 'run')}</h2>
          <AddRuns
            studio={studio}
            runs={runs}
            first={ids.length < 2}
            onAdd={id => setIds([...ids, id].slice(0, MOST_RUNS))}
          />
        </div>
        <Chosen runs={runs} execute={execute} onRemove={id => setIds(ids.filter(one => one !== id))} />
      </header>
      {runIds.length > MOST_RUNS && (
        <p className="jp-mls-quiet">
          The first {MOST_RUNS} of {runIds.length} runs are compared.
        </p>
      )}
      {failed.map(model => (
        <ErrorBox
          key={model.id}
          what={`Run ${model.id} could not be read`}
          error={model.error!}
          retry={() => model.refresh()}
        />
      ))}
      {runs.length + failed.length < ids.length ? (
        <Loading />
      ) : runs.length < 2 ? (
        <EmptyState>Add a run to compare with.</EmptyState>
      ) : (
        <Tabs tabs={LABELS} selected={tab} onSelect={setTab} label="Ways to compare">
          <Body studio={studio} runs={runs} execute={execute} />
        </Tabs>
      )}
    </div>
  );
}
