/** What the run's process tree took up of the machine. */
import { type JSX, useEffect, useMemo } from 'react';
import { isEnded, type MetricSeries } from '../../../api/types';
import { Plot } from '../../../charts/plot';
import type { IChartSpec } from '../../../charts/spec';
import { EmptyState, ErrorBox, Loading, formatBytes, formatNumber, useResource } from '../../common';
import type { RunProps } from '../header';
import { CURVE_DEFAULTS, axesOf, notesOf, seriesOf } from './curves';
import { SYSTEM_PREFIX } from './groups';
import { startOfRun } from './tab';

interface IMeasure {
  title: string;
  axis: string;
  unit: string;
  note?: string;
}

const MEASURES: Record<string, IMeasure> = {
  cpu_percent: { title: 'CPU of the process tree', axis: 'CPU', unit: '%', note: '100 % is one core' },
  memory_mb: { title: 'Memory of the process tree', axis: 'memory', unit: 'MB' },
  gpu_percent: { title: 'GPU', axis: 'GPU', unit: '%' },
  gpu_memory_mb: { title: 'GPU memory', axis: 'GPU memory', unit: 'MB' }
};

const OPTIONS = { ...CURVE_DEFAULTS, x: 'time' as const };

function SystemChart({ points, startS }: { points: MetricSeries; startS: number | null }): JSX.Element {
  const id = points.name.slice(SYSTEM_PREFIX.length);
  const measure = useMemo(() => MEASURES[id] ?? { title: id, axis: id, unit: '' }, [id]);
  const curves = useMemo(() => [{ name: measure.axis, points, startS, index: 0 }], [measure, points, startS]);
  const spec = useMemo<IChartSpec>(() => {
    const axes = axesOf(curves, OPTIONS, measure.axis);
    return {
      title: measure.title,
      x: axes.x,
      y: { ...axes.y, unit: measure.unit, fromZero: true },
      series: seriesOf(curves, OPTIONS)
    };
  }, [curves, measure]);
  const note = [measure.note, notesOf(curves, OPTIONS)].filter(Boolean).join(' · ');
  return (
    <div className="jp-mls-ChartCell">
      <Plot spec={spec} note={note} />
    </div>
  );
}

function peak(run: RunProps['run']): string {
  const of = (name: string): number | null =>
    run.summaries.find(one => one.name === SYSTEM_PREFIX + name)?.max ?? null;
  const [cpu, memory] = [of('cpu_percent'), of('memory_mb')];
  const parts = [
    cpu === null ? '' : `CPU ${formatNumber(cpu)} %`,
    memory === null ? '' : `memory ${formatBytes(memory * 1e6)}`
  ];
  return parts.filter(Boolean).join(', ');
}

/** CPU and memory over time, and the GPU's when there is one. */
export function SystemTab({ studio, run }: RunProps): JSX.Element {
  const model = useResource(studio.metrics(run.id));
  const key = JSON.stringify(
    run.summaries.map(one => one.name).filter(name => name.startsWith(SYSTEM_PREFIX))
  );
  const names = useMemo(() => JSON.parse(key) as string[], [key]);
  useEffect(() => model.want(names), [model, names]);
  if (names.length === 0) {
    return (
      <EmptyState title="No samples">
        {isEnded(run.status)
          ? 'This run ended before its processes were first measured.'
          : 'CPU and memory of the run show up here within seconds of its start.'}
      </EmptyState>
    );
  }
  const found = names.flatMap(name => model.value?.get(name) ?? []);
  return (
    <div className="jp-mls-Metrics">
      {peak(run) && <p className="jp-mls-quiet">Highest: {peak(run)}</p>}
      {model.error && (
        <ErrorBox what="The samples could not be read" error={model.error} retry={() => model.refresh()} />
      )}
      {found.length === 0 && !model.error && <Loading />}
      <div className="jp-mls-ChartGrid">
        {found.map(points => (
          <SystemChart key={points.name} points={points} startS={startOfRun(run)} />
        ))}
      </div>
    </div>
  );
}
