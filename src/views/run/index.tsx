/** One run: what it is, what it reports, what it left. */
import { type JSX, Suspense, lazy, useEffect, useState } from 'react';
import type { Run } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import { ErrorBox, Loading, type Tab, Tabs, useResource } from '../common';
import { ArtifactsTab } from './artifacts/tab';
import { CodeTab } from './code/tab';
import { EvaluationTab } from './evaluation/tab';
import { Header, type RunProps } from './header';
import { LogsTab } from './logs/tab';
import { SYSTEM_PREFIX } from './metrics/groups';
import { MetricsTab } from './metrics/tab';
import { SystemTab } from './metrics/system';
import { OverviewTab } from './overview/tab';

const SweepView = lazy(async () => ({ default: (await import('../sweeps')).SweepView }));

const AutoMLView = lazy(async () => ({ default: (await import('../automl')).AutoMLView }));

const TABS = {
  overview: ['Overview', OverviewTab],
  metrics: ['Metrics', MetricsTab],
  evaluation: ['Evaluation', EvaluationTab],
  logs: ['Logs', LogsTab],
  artifacts: ['Artifacts', ArtifactsTab],
  code: ['Code', CodeTab],
  system: ['System', SystemTab]
} as const satisfies Record<string, readonly [string, (props: RunProps) => JSX.Element]>;

export type RunTab = keyof typeof TABS;

function tabsOf(run: Run): Tab<RunTab>[] {
  const metrics = run.summaries.filter(one => !one.name.startsWith(SYSTEM_PREFIX)).length;
  return (Object.keys(TABS) as RunTab[]).map(id => ({
    id,
    label: TABS[id][0],
    note: id === 'metrics' && metrics > 0 ? metrics : undefined
  }));
}

export interface RunViewProps {
  studio: StudioModel;
  id: string;
  execute: Execute;
  /** The tab to begin with. */
  tab?: string | undefined;
}

/** The run view; each tab is read only while it is open. */
export function RunView({ studio, id, execute, tab }: RunViewProps): JSX.Element {
  const model = useResource(studio.run(id));
  const [selected, setSelected] = useState<RunTab>('overview');
  useEffect(() => {
    if (tab !== undefined && tab in TABS) {
      setSelected(tab as RunTab);
    }
  }, [tab]);
  const run = model.value;
  if (!run) {
    return model.error ? (
      <ErrorBox what="The run could not be read" error={model.error} retry={() => model.refresh()} />
    ) : (
      <Loading />
    );
  }
  if (run.kind === 'sweep') {
    return (
      <Suspense fallback={<Loading />}>
        <SweepView studio={studio} run={run} execute={execute} tab={tab} />
      </Suspense>
    );
  }
  if (run.kind === 'automl') {
    return (
      <Suspense fallback={<Loading />}>
        <AutoMLView studio={studio} run={run} execute={execute} tab={tab} />
      </Suspense>
    );
  }
  const Body = TABS[selected][1];
  return (
    <div className="jp-mls-RunView">
      <Header studio={studio} run={run} execute={execute} />
      {model.error && (
        <ErrorBox what="What is shown may be old" error={model.error} retry={() => model.refresh()} />
      )}
      <Tabs tabs={tabsOf(run)} selected={selected} onSelect={setSelected} label="Parts of the run">
        <Body key={`${run.id} ${selected}`} studio={studio} run={run} execute={execute} />
      </Tabs>
    </div>
  );
}
