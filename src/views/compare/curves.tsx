/** One chart a metric, one line a run. */
import { type JSX, useEffect, useMemo, useState } from 'react';
import { Plot } from '../../charts/plot';
import type { IChartSpec } from '../../charts/spec';
import type { MetricsModel } from '../../models/tracking';
import { EmptyState, Loading } from '../common';
import { CurveControls, useMetricOptions } from '../run/metrics/controls';
import { axesOf, type ICurve, type ICurveOptions, notesOf, seriesOf } from '../run/metrics/curves';
import { SYSTEM_PREFIX } from '../run/metrics/groups';
import { startOfRun } from '../run/metrics/tab';
import { useSeen } from '../run/seen';
import { useResources } from './hooks';
import type { ComparedProps } from './index';

interface ChartProps extends Pick<ComparedProps, 'runs'> {
  name: string;
  models: readonly MetricsModel[];
  options: ICurveOptions;
}

function MetricChart({ runs, name, models, options }: ChartProps): JSX.Element {
  const [ref, seen] = useSeen<HTMLDivElement>();
  useEffect(() => {
    if (seen) {
      models.forEach(
        (model, index) => runs[index]?.summaries.some(one => one.name === name) && model.want([name])
      );
    }
  }, [seen, models, runs, name]);
  const curves: ICurve[] = runs.flatMap((run, index) => {
    const points = models[index]?.value?.get(name);
    return points ? [{ name: run.name, points, startS: startOfRun(run), index }] : [];
  });
  const state = curves.map(curve => `${curve.name} ${curve.index} ${curve.points.total}`).join('|');
  const spec = useMemo<IChartSpec>(
    () => ({ title: name, ...axesOf(curves, options, name), series: seriesOf(curves, options) }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the state stands for the curves
    [state, options, name]
  );
  return (
    <div ref={ref} className="jp-mls-ChartCell">
      {curves.length > 0 ? <Plot spec={spec} note={notesOf(curves, options)} /> : <Loading what={name} />}
    </div>
  );
}

/** Names that have a curve in at least one run, those of most runs first. */
export function curveNames(runs: ComparedProps['runs']): string[] {
  const counts = new Map<string, number>();
  for (const one of runs.flatMap(run => run.summaries)) {
    if (one.count > 1 && !one.name.startsWith(SYSTEM_PREFIX)) {
      counts.set(one.name, (counts.get(one.name) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([name]) => name);
}

export function Curves({ studio, runs }: ComparedProps): JSX.Element {
  const ids = runs.map(run => run.id);
  const models = useResources(() => ids.map(id => studio.metrics(id)), ids.join());
  const [options, setOptions] = useMetricOptions();
  const [wanted, setWanted] = useState('');
  const names = curveNames(runs).filter(name => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <>
      <CurveControls
        options={options}
        onChange={setOptions}
        wanted={wanted}
        onWanted={setWanted}
        grouping={false}
      />
      {names.length === 0 && (
        <EmptyState>
          {wanted
            ? `No metric has ${wanted} in its name.`
            : 'None of these runs logged a metric more than once. Their values are in the table.'}
        </EmptyState>
      )}
      <div className="jp-mls-ChartGrid">
        {names.map(name => (
          <MetricChart key={name} name={name} runs={runs} models={models} options={options} />
        ))}
      </div>
    </>
  );
}
