/** One experiment: the table of its runs, and what is selected in it side by side. */
import { type JSX, Suspense, lazy, useCallback, useEffect, useMemo, useState } from 'react';
import { type Experiment, type RunsQuery, isEnded, type isLive } from '../../api/types';
import type { RunsModel } from '../../models/runs';
import { NO_TRIALS, type StudioModel, TRIAL_TAG } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandButton,
  EmptyState,
  ErrorBox,
  Loading,
  Split,
  grouped,
  plural,
  usePreference,
  useResource,
  visible
} from '../common';
import { type Sort, firstColumns, nextSort, orderBy } from './columns';
import { Chips, FilterBar, type Filters, NO_FILTERS } from './filters';
import { RunsGrid } from './grid';
import { ExperimentHead } from './head';
import { ColumnPicker } from './picker';

const CompareView = lazy(async () => ({ default: (await import('../compare')).CompareView }));

interface Props {
  studio: StudioModel;
  id: string;
  execute: Execute;
}

/** What is kept of a table between visits. */
interface Kept {
  columns: string[] | null;
  sort: Sort | null;
  share: number;
  /** Trials of sweeps are listed, too. */
  trials: boolean;
}

const FIRST: Kept = { columns: null, sort: null, share: 0.5, trials: false };

export function ExperimentView({ studio, id, execute }: Props): JSX.Element {
  const experiment = useResource(studio.experiment(id));
  if (!experiment.value) {
    return experiment.error ? (
      <ErrorBox
        what="The experiment could not be read"
        error={experiment.error}
        retry={() => experiment.refresh()}
      />
    ) : (
      <Loading what="Reading the experiment" />
    );
  }
  return <Runs studio={studio} experiment={experiment.value} execute={execute} />;
}

function useRuns(
  studio: StudioModel,
  experimentId: string,
  filters: Filters,
  sort: Sort | null,
  folded: boolean
): RunsModel {
  const runs = useMemo(() => studio.runs({ experiment_id: [experimentId] }), [studio, experimentId]);
  useEffect(() => () => runs.dispose(), [runs]);
  useEffect(() => {
    const order = orderBy(sort);
    const query: RunsQuery = {
      experiment_id: [experimentId],
      q: filters.text,
      filter: [filters.filter, folded ? NO_TRIALS : ''].filter(Boolean).join(' and '),
      status: filters.status,
      ...(order ? { order_by: [order] } : {})
    };
    void runs.setQuery(query);
  }, [runs, experimentId, filters, sort, folded]);
  return useResource(runs);
}

function Runs({
  studio,
  experiment,
  execute
}: {
  studio: StudioModel;
  experiment: Experiment;
  execute: Execute;
}): JSX.Element {
  const [kept, setKept] = usePreference<Kept & Record<string, never>>(
    studio.preferences,
    `experiment.${experiment.id}`,
    FIRST as Kept & Record<string, never>
  );
  const keep = (change: Partial<Kept>): void =>
    setKept({ ...kept, ...change } as Kept & Record<string, never>);
  const [filters, setFilters] = useState<Filters>(NO_FILTERS);
  const [selected, setSelected] = useState<string[]>([]);
  const known = useResource(studio.columns(experiment.id));
  const sweeps = known.value?.tags.includes(TRIAL_TAG) ?? false;
  const runs = useRuns(studio, experiment.id, filters, kept.sort, sweeps && !kept.trials);
  const more = useCallback(() => void runs.more(), [runs]);
  const columns = useMemo(
    () => kept.columns ?? firstColumns(known.value, experiment.primary_metric),
    [kept.columns, known.value, experiment.primary_metric]
  );
  const items = useMemo(() => runs.value?.items ?? [], [runs.value]);
  const total = runs.value?.total ?? 0;
  const filtered = filters.text !== '' || filters.status !== '' || filters.filter !== '';
  return (
    <div className="jp-mls-Experiment">
      <ExperimentHead experiment={experiment} metrics={known.value?.metrics ?? []} execute={execute} />
      <div className="jp-mls-Toolbar">
        <FilterBar filters={filters} onChange={setFilters} error={runs.error} />
        <ColumnPicker
          known={known.value}
          columns={columns}
          onChange={chosen => keep({ columns: chosen })}
          onReset={() => keep({ columns: null })}
        />
      </div>
      <div className="jp-mls-Experiment-state">
        <span role="status">
          {plural(total, 'run')}
          {(filtered || (sweeps && !kept.trials)) && ` of ${grouped(experiment.run_count)}`}
          {selected.length > 0 && `, ${selected.length} selected`}
        </span>
        {sweeps && (
          <label className="jp-mls-Choice">
            <input
              type="checkbox"
              checked={kept.trials}
              onChange={event => keep({ trials: event.target.checked })}
            />
            Trials of sweeps
          </label>
        )}
        <Chips filters={filters} onChange={setFilters} />
        <Actions studio={studio} items={items} selected={selected} execute={execute} />
      </div>
      {runs.error && runs.error.status !== 400 && (
        <ErrorBox what="The runs could not be read" error={runs.error} retry={() => runs.refresh()} />
      )}
      {runs.value && total === 0 && !runs.loading ? (
        <NoRuns experiment={experiment.name} filtered={filtered} onClear={() => setFilters(NO_FILTERS)} />
      ) : (
        <Split
          label="Height of the table"
          share={kept.share}
          onShare={share => keep({ share })}
          above={
            <RunsGrid
              runs={items}
              total={total}
              columns={columns}
              sort={kept.sort}
              onSort={column => keep({ sort: nextSort(kept.sort, column) })}
              selected={selected}
              onSelect={setSelected}
              best={experiment.best_run}
              onMore={more}
              execute={execute}
            />
          }
          below={
            selected.length > 1 ? (
              <Suspense fallback={<Loading what="Comparing" />}>
                <CompareView studio={studio} runIds={selected} execute={execute} />
              </Suspense>
            ) : null
          }
        />
      )}
    </div>
  );
}

/** A name as one argument of a magic. */
function argument(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'"'"'`)}'`;
}

function NoRuns({
  experiment,
  filtered,
  onClear
}: {
  experiment: string;
  filtered: boolean;
  onClear: () => void;
}): JSX.Element {
  return filtered ? (
    <EmptyState
      action={
        <button type="button" className="jp-mls-Link" onClick={onClear}>
          Remove all filters
        </button>
      }
    >
      No run fits the filters.
    </EmptyState>
  ) : (
    <EmptyState>
      No run has been submitted to this experiment. In a notebook, put this at the top of a cell:{' '}
      <code>%%ml_submit --experiment {visible(argument(experiment))}</code>
    </EmptyState>
  );
}

/** What can be done with the selected runs. */
function Actions({
  items,
  selected,
  execute
}: {
  studio: StudioModel;
  items: readonly { id: string; status: Parameters<typeof isLive>[0] }[];
  selected: readonly string[];
  execute: Execute;
}): JSX.Element | null {
  if (selected.length === 0) {
    return null;
  }
  const chosen = items.filter(run => selected.includes(run.id));
  const going = chosen.filter(run => !isEnded(run.status)).map(run => run.id);
  const first = chosen[0];
  return (
    <div className="jp-mls-Experiment-actions" role="group" aria-label="Selected runs">
      <CommandButton
        execute={execute}
        command={CommandIDs.compareRuns}
        args={{ runIds: [...selected] }}
        disabled={selected.length < 2}
        title="Open the comparison in a tab of its own"
      >
        Compare
      </CommandButton>
      <CommandButton
        execute={execute}
        command={CommandIDs.registerModel}
        args={{ runId: first?.id ?? '' }}
        disabled={chosen.length !== 1 || first?.status !== 'Completed'}
        title="Register the model of the selected run"
      >
        Register …
      </CommandButton>
      <CommandButton
        execute={execute}
        command={CommandIDs.stopRun}
        args={{ ids: going }}
        disabled={going.length === 0}
      >
        Stop
      </CommandButton>
      <CommandButton
        execute={execute}
        command={CommandIDs.deleteRun}
        args={{ ids: chosen.map(run => run.id) }}
        disabled={going.length > 0 || chosen.length === 0}
        title={going.length > 0 ? 'Stop live runs first' : 'Delete the selected runs'}
      >
        Delete …
      </CommandButton>
    </div>
  );
}
