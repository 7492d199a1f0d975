/** One sweep: how far it is, what its trials say, and the handles to steer it. */
import { type JSX, useCallback, useEffect, useMemo, useState } from 'react';
import { useThrottled } from '../../charts/throttle';
import { CommandIDs } from '../../tokens';
import { ErrorBox, Loading, type Tab, Tabs, grouped, useResource } from '../common';
import { ArtifactsTab } from '../run/artifacts/tab';
import { CodeTab } from '../run/code/tab';
import { Header, type RunProps } from '../run/header';
import { LogsTab } from '../run/logs/tab';
import { SystemTab } from '../run/metrics/system';
import { SweepHead } from './head';
import { Hovered, HoveredContext } from './hovered';
import type { Brushes } from './lanes';
import { OverviewTab } from './overview';
import { PlotsTab } from './plots';
import { studyOf } from './study';
import { TrialsTab } from './trials';

export { SweepForm, type SweepDraft } from './new';
export { LimitsForm, PointForm, type Point, type Steering } from './forms';

const LABELS = {
  overview: 'Overview',
  plots: 'Plots',
  trials: 'Trials',
  logs: 'Logs',
  artifacts: 'Artifacts',
  code: 'Code',
  system: 'System'
} as const;

type SweepTab = keyof typeof LABELS;

/** Drawing thousands of trials is worth a longer pause. */
function redrawMs(trials: number): number {
  return trials > 2000 ? 3000 : trials > 300 ? 1000 : 300;
}

/** The sweep view, which a run of kind `sweep` opens as. */
export function SweepView({
  studio,
  run,
  execute,
  tab
}: RunProps & { tab?: string | undefined }): JSX.Element {
  const model = useResource(studio.sweep(run.id));
  const trials = useResource(studio.trials(run.id));
  const [selected, setSelected] = useState<SweepTab>('overview');
  const [brushes, setBrushes] = useState<Brushes>({});
  const [hovered] = useState(() => new Hovered());
  useEffect(() => {
    if (tab !== undefined && tab in LABELS) {
      setSelected(tab as SweepTab);
    }
  }, [tab]);
  const sweep = model.value;
  const all = trials.value?.trials;
  const now = useMemo(() => (sweep && all ? studyOf(sweep, all) : null), [sweep, all]);
  const study = useThrottled(now, redrawMs(all?.length ?? 0)) ?? now;
  const open = useCallback(
    (number: number) => {
      const trial = study?.byNumber.get(number);
      if (trial?.run_id) {
        void execute(CommandIDs.openRun, { id: trial.run_id });
      }
    },
    [study, execute]
  );
  if (!sweep || !study) {
    const error = model.error ?? trials.error;
    return (
      <div className="jp-mls-RunView">
        <Header studio={studio} run={run} execute={execute} />
        {error ? (
          <ErrorBox
            what="The sweep could not be read"
            error={error}
            retry={() => Promise.all([model.refresh(), trials.refresh()])}
          />
        ) : (
          <Loading what="Reading the trials" />
        )}
      </div>
    );
  }
  const props = { studio, run, execute, sweep, study, brushes, onBrush: setBrushes, onTrial: open };
  const tabs = (Object.keys(LABELS) as SweepTab[]).map((id): Tab<SweepTab> => ({
    id,
    label: LABELS[id],
    note: id === 'trials' && study.trials.length > 0 ? grouped(study.trials.length) : undefined
  }));
  const bodies: Record<SweepTab, () => JSX.Element> = {
    overview: () => <OverviewTab {...props} />,
    plots: () => <PlotsTab {...props} />,
    trials: () => <TrialsTab {...props} />,
    logs: () => <LogsTab {...props} />,
    artifacts: () => <ArtifactsTab {...props} />,
    code: () => <CodeTab {...props} />,
    system: () => <SystemTab {...props} />
  };
  const failed = model.error ?? trials.error;
  return (
    <HoveredContext.Provider value={hovered}>
      <div className="jp-mls-RunView jp-mls-SweepView">
        <SweepHead {...props} />
        {failed && (
          <ErrorBox
            what="What is shown may be old"
            error={failed}
            retry={() => Promise.all([model.refresh(), trials.refresh()])}
          />
        )}
        <Tabs tabs={tabs} selected={selected} onSelect={setSelected} label="Parts of the sweep">
          {bodies[selected]()}
        </Tabs>
      </div>
    </HoveredContext.Provider>
  );
}
