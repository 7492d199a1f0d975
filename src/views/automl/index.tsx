/** One AutoML run: how far it is, what leads, what it noticed, and what the winner rests on. */
import { type JSX, useEffect, useMemo, useState } from 'react';
import type { AutoMLReport } from '../../api/types';
import { ErrorBox, Loading, type Tab, Tabs, grouped, useResource } from '../common';
import { ArtifactsTab } from '../run/artifacts/tab';
import { CodeTab } from '../run/code/tab';
import { EvaluationTab } from '../run/evaluation/tab';
import { Header, type RunProps } from '../run/header';
import { LogsTab } from '../run/logs/tab';
import { SystemTab } from '../run/metrics/system';
import { isRefused } from './board';
import { DataTab } from './data';
import { ExplainTab } from './explain';
import { AutoMLHead } from './head';
import { Leaderboard } from './leaderboard';
import { ModelTab } from './model';
import { PartitionsTab } from './partitions';
import { ProgressTab } from './progress';

export { AutoMLForm } from './form';

const LABELS = {
  partitions: 'Parts',
  leaderboard: 'Leaderboard',
  data: 'Data',
  progress: 'Progress',
  explain: 'Explain',
  model: 'Model',
  evaluation: 'Evaluation',
  logs: 'Logs',
  artifacts: 'Artifacts',
  code: 'Code',
  system: 'System'
} as const;

export type AutoMLTab = keyof typeof LABELS;

function noteOf(tab: AutoMLTab, report: AutoMLReport): string | undefined {
  const count =
    tab === 'leaderboard'
      ? report.leaderboard.length
      : tab === 'partitions'
        ? report.partitions.length
        : tab === 'data'
          ? report.findings.filter(one => one.severity !== 'info').length
          : 0;
  return count > 0 ? grouped(count) : undefined;
}

const OF_ONE_MODEL: readonly AutoMLTab[] = ['leaderboard', 'explain', 'model', 'evaluation'];

/** Which tabs there are: many models have parts and no model of their own. */
function tabsOf(report: AutoMLReport): AutoMLTab[] {
  const many = report.partitions.length > 0;
  return (Object.keys(LABELS) as AutoMLTab[]).filter(
    tab => tab !== 'code' && (many ? !OF_ONE_MODEL.includes(tab) : tab !== 'partitions')
  );
}

/** The AutoML view, which a run of kind `automl` opens as. */
export function AutoMLView({
  studio,
  run,
  execute,
  tab
}: RunProps & { tab?: string | undefined }): JSX.Element {
  const model = useResource(studio.automl(run.id));
  const [chosen, setChosen] = useState<AutoMLTab | null>(null);
  useEffect(() => {
    if (tab !== undefined && tab in LABELS) {
      setChosen(tab as AutoMLTab);
    }
  }, [tab]);
  const automl = model.value;
  const ids = useMemo(() => (automl ? tabsOf(automl.report) : []), [automl]);
  if (!automl) {
    return (
      <div className="jp-mls-RunView">
        <Header studio={studio} run={run} execute={execute} />
        {model.error ? (
          <ErrorBox
            what="The AutoML run could not be read"
            error={model.error}
            retry={() => model.refresh()}
          />
        ) : (
          <Loading what="Reading the models" />
        )}
      </div>
    );
  }
  const { report } = automl;
  const first = report.partitions.length > 0 ? 'partitions' : isRefused(report, run) ? 'data' : 'leaderboard';
  const selected = chosen !== null && ids.includes(chosen) ? chosen : first;
  const props = { studio, run, execute, automl };
  const bodies: Record<AutoMLTab, () => JSX.Element> = {
    partitions: () => <PartitionsTab {...props} />,
    leaderboard: () => <Leaderboard {...props} />,
    data: () => <DataTab {...props} />,
    progress: () => <ProgressTab {...props} />,
    explain: () => <ExplainTab {...props} />,
    model: () => <ModelTab {...props} />,
    evaluation: () => <EvaluationTab {...props} />,
    logs: () => <LogsTab {...props} />,
    artifacts: () => <ArtifactsTab {...props} />,
    code: () => <CodeTab {...props} />,
    system: () => <SystemTab {...props} />
  };
  const tabs = ids.map((id): Tab<AutoMLTab> => ({ id, label: LABELS[id], note: noteOf(id, report) }));
  return (
    <div className="jp-mls-RunView jp-mls-AutoMLView">
      <AutoMLHead {...props} />
      {model.error && (
        <ErrorBox what="What is shown may be old" error={model.error} retry={() => model.refresh()} />
      )}
      <Tabs tabs={tabs} selected={selected} onSelect={setChosen} label="Parts of the AutoML run">
        {bodies[selected]()}
      </Tabs>
    </div>
  );
}
