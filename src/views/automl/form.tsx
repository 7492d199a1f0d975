/** The wizard: a table, a target and limits become an AutoML run; beside it the code that does the same. */
import { type JSX, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { TablePreview, TableQuestion } from '../../api/types';
import type { TablePreviewModel } from '../../models/automl';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, ErrorBox, Loading, automlIcon, grouped, plural, useResource, visible } from '../common';
import { Block, type BlockProps, LimitsBlock, TargetBlock, TaskBlock } from './blocks';
import { CodePane } from './codepane';
import { ColumnTable, Head, TypeChoice } from './columns';
import { type Draft, emptyDraft, forTable, problemsOf, questionOf, requestOf } from './draft';
import { FindingsAhead } from './findings';
import { ModelsBlock } from './models';
import { useSettled } from './settled';
import { Source } from './source';

export interface AutoMLFormProps {
  studio: StudioModel;
  execute: Execute;
  /** Path of the table to begin with. */
  data?: string;
}

interface Refusal {
  code?: string;
  message: string;
  status?: number;
}

/** What was filled in, kept between visits. */
function useDraft(studio: StudioModel, data: string | undefined): [Draft, (change: Partial<Draft>) => void] {
  const { preferences } = studio;
  const [draft, setDraft] = useState(() => emptyDraft(data));
  const touched = useRef(false);
  useEffect(() => {
    const restore = (): void => {
      const kept = preferences.get<Record<string, never>>('automl.draft', {}) as Partial<Draft>;
      if (!touched.current && kept.data && (data === undefined || kept.data === data)) {
        setDraft({ ...emptyDraft(), ...kept });
      }
    };
    restore();
    preferences.changed.connect(restore);
    return () => {
      preferences.changed.disconnect(restore);
    };
  }, [preferences, data]);
  useEffect(() => {
    if (data !== undefined) {
      setDraft(before => (before.data === data ? before : { ...before, data }));
    }
  }, [data]);
  useEffect(() => {
    if (!touched.current) {
      return undefined;
    }
    const timer = window.setTimeout(() => preferences.set('automl.draft', { ...draft }), 400);
    return () => window.clearTimeout(timer);
  }, [preferences, draft]);
  const set = useCallback((change: Partial<Draft>) => {
    touched.current = true;
    setDraft(before => ({ ...before, ...change }));
  }, []);
  return [draft, set];
}

interface Looked {
  model: TablePreviewModel | null;
  table: TablePreview | null;
  /** Whether the table is being looked at again, because something else is asked for. */
  again: boolean;
}

/** The table that is chosen, as a run would see it; while it is looked at again, what is known of it stays. */
function useTable(studio: StudioModel, draft: Draft): Looked {
  const { data } = draft;
  const last = useRef<TablePreview | null>(null);
  const wanted = JSON.stringify(questionOf(draft, last.current));
  const asked = useSettled(wanted);
  const question = useMemo(() => JSON.parse(asked) as TableQuestion, [asked]);
  const model = useResource(question.data ? studio.table(question) : null);
  if (model?.value) {
    last.current = model.value;
  } else if (model?.error || last.current?.data !== data) {
    last.current = null;
  }
  const table = last.current?.data === data ? last.current : null;
  return { model, table, again: table !== null && (wanted !== asked || !model?.value) };
}

/** Where the table comes from, and what it holds, or why it cannot be read. */
function TablePart({
  execute,
  draft,
  set,
  model,
  table,
  again
}: Omit<BlockProps, 'problems'> & Looked & { execute: Execute }): JSX.Element {
  return (
    <Block
      number={1}
      title="Data"
      note={
        table &&
        [
          plural(table.rows, 'row'),
          plural(table.columns.length, 'column'),
          ...(again ? ['looking at it again'] : [])
        ].join(', ')
      }
    >
      <Source data={draft.data} execute={execute} onData={data => set({ data })} />
      {model && !table && !model.error && <Loading what="Reading the table" />}
      {model?.error && (
        <ErrorBox what="The table cannot be read" error={model.error} retry={() => model.refresh()} />
      )}
      {table && (
        <>
          <FindingsAhead findings={table.findings} />
          <ColumnTable
            label="Columns"
            columns={table.columns}
            rows={table.rows}
            findings={table.findings}
            taken={column =>
              column.name === draft.target ? (
                <span className="jp-mls-Badge">target</span>
              ) : (
                <TypeChoice
                  column={column}
                  value={draft.types[column.name]}
                  onChange={type => set({ types: withType(draft.types, column.name, type) })}
                />
              )
            }
          />
          <Head table={table} />
        </>
      )}
    </Block>
  );
}

function withType(
  types: Readonly<Record<string, string>>,
  name: string,
  type: string
): Record<string, string> {
  const others = Object.entries(types).filter(([one]) => one !== name);
  return Object.fromEntries(type ? [...others, [name, type]] : others);
}

function Intro(): JSX.Element {
  return (
    <p className="jp-mls-AutoML-intro">
      A table and a column to predict go in. Models are tried until the time is over, each kept as a run of
      its own; the best one is explained, opens as a notebook, and can be registered and deployed.
    </p>
  );
}

/** The view "New AutoML run". */
export function AutoMLForm({ studio, execute, data }: AutoMLFormProps): JSX.Element {
  const [draft, set] = useDraft(studio, data);
  const looked = useTable(studio, draft);
  const { table } = looked;
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const experiments = useResource(studio.experiments).value;
  const names = useMemo(() => experiments?.map(one => one.name) ?? [], [experiments]);
  const whole = useMemo(() => (table ? forTable(draft, table) : draft), [draft, table]);
  const problems = useMemo(() => problemsOf(whole), [whole]);
  const request = useMemo(() => requestOf(whole), [whole]);
  const bad = looked.again ? undefined : table?.findings.find(one => one.severity === 'error');
  const first = Object.values(problems)[0] ?? (bad && `${visible(bad.what)}: ${visible(bad.remedy)}`);
  const start = async (): Promise<void> => {
    setBusy(true);
    const answer = (await execute(CommandIDs.startAutoML, { request: request as never })) as
      { error?: Refusal } | undefined;
    setRefusal(answer?.error ?? null);
    setBusy(false);
  };
  const props = { draft: whole, problems, set };
  return (
    <div className="jp-mls-AutoMLForm">
      <header className="jp-mls-Head">
        <automlIcon.react tag="span" className="jp-mls-Head-icon" aria-hidden="true" />
        <h1>New AutoML run</h1>
      </header>
      <div className="jp-mls-AutoMLForm-body">
        <div className="jp-mls-AutoMLForm-blocks">
          {!draft.data && <Intro />}
          <TablePart {...{ execute, draft: whole, set, ...looked }} />
          {table && (
            <>
              <Block number={2} title="What to predict">
                <TargetBlock {...props} table={table} />
              </Block>
              <Block number={3} title="Task">
                <TaskBlock {...props} table={table} />
              </Block>
              <Block number={4} title="Limits">
                <LimitsBlock {...props} />
              </Block>
              <Block number={5} title="Models">
                <ModelsBlock {...props} experiments={names} />
              </Block>
              <div className="jp-mls-AutoMLForm-start">
                {refusal && <ErrorBox what="It was not started" error={refusal} />}
                <Button
                  primary
                  disabled={first !== undefined || busy}
                  aria-busy={busy || undefined}
                  data-command={CommandIDs.startAutoML}
                  onClick={() => void start()}
                >
                  {busy ? 'Starting' : 'Find a model'}
                </Button>
                <span className="jp-mls-quiet">
                  {first ?? `Takes ${draft.minutes} min, on ${grouped(table.rows)} rows.`}
                </span>
              </div>
            </>
          )}
        </div>
        {table && (
          <CodePane
            {...{ studio, execute, request }}
            task={table.task}
            complete={Object.keys(problems).length === 0}
          />
        )}
      </div>
    </div>
  );
}
