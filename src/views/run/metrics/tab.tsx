/** Metrics of a run as live charts. */
import { type JSX, useEffect, useMemo, useState } from 'react';
import type { MetricSeries, MetricSummary, Run } from '../../../api/types';
import { Plot } from '../../../charts/plot';
import type { IChartSpec } from '../../../charts/spec';
import type { StudioModel } from '../../../models/studio';
import type { MetricsModel } from '../../../models/tracking';
import {
  Button,
  EmptyState,
  ErrorBox,
  Loading,
  Name,
  Num,
  pinIcon,
  useResource,
  Section
} from '../../common';
import type { RunProps } from '../header';
import { useRemembered } from '../remembered';
import { useSeen } from '../seen';
import { CurveControls, useMetricOptions } from './controls';
import { useFiner } from './finer';
import { axesOf, type ICurve, type ICurveOptions, notesOf, seriesOf } from './curves';
import { chosenGroups, groupMetrics, type IMetricGroup, SYSTEM_PREFIX } from './groups';

/** When a run began, in seconds since 1970. */
export function startOfRun(run: Pick<Run, 'started_at'>): number | null {
  return run.started_at ? Date.parse(run.started_at) / 1000 : null;
}

function curvesOf(
  group: IMetricGroup,
  series: ReadonlyMap<string, MetricSeries>,
  startS: number | null
): ICurve[] {
  return group.members.flatMap((member, index) => {
    const points = series.get(member.name);
    return points ? [{ name: member.label, points, startS, index }] : [];
  });
}

interface GroupChartProps {
  studio: StudioModel;
  group: IMetricGroup;
  model: MetricsModel;
  startS: number | null;
  options: ICurveOptions;
  pinned: boolean;
  onPin: () => void;
}

/** One chart; its points are asked for when it comes into sight. */
function GroupChart({ studio, group, model, startS, options, pinned, onPin }: GroupChartProps): JSX.Element {
  const [ref, seen] = useSeen<HTMLDivElement>();
  const names = group.members.map(member => member.name);
  const key = JSON.stringify(names);
  useEffect(() => {
    if (seen) {
      model.want(JSON.parse(key) as string[]);
    }
  }, [seen, model, key]);
  const series = model.value;
  const whole = useMemo(() => (series ? curvesOf(group, series, startS) : []), [group, series, startS]);
  const [curves, onZoom] = useFiner(studio, model.runId, whole, options);
  const spec = useMemo<IChartSpec>(
    () => ({
      title: group.title,
      ...axesOf(curves, options, group.title),
      series: seriesOf(curves, options)
    }),
    [curves, options, group.title]
  );
  const pin = (
    <Button
      minimal
      icon={pinIcon}
      className={pinned ? 'jp-mls-mod-on' : ''}
      aria-pressed={pinned}
      title={pinned ? 'Unpin' : 'Pin to the top'}
      onClick={onPin}
    />
  );
  return (
    <div ref={ref} className="jp-mls-ChartCell">
      {curves.length > 0 ? (
        <Plot spec={spec} note={notesOf(curves, options)} controls={pin} onZoom={onZoom} />
      ) : (
        <Loading what={group.title} />
      )}
    </div>
  );
}

function asNames(value: unknown): string[] | null {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : null;
}

/** Metrics that were logged once: a number says more than a chart of one point. */
function Once({ summaries }: { summaries: readonly MetricSummary[] }): JSX.Element {
  return (
    <Section title="Logged once" note={summaries.length}>
      <dl className="jp-mls-Numbers">
        {summaries.map(one => (
          <div key={one.name}>
            <dt>
              <Name text={one.name} />
            </dt>
            <dd>
              <Num value={one.last} />
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

/** A grid of live charts. */
export function MetricsTab({ studio, run }: RunProps): JSX.Element {
  const model = useResource(studio.metrics(run.id));
  const [options, setOptions] = useMetricOptions();
  const [wanted, setWanted] = useState('');
  const [pins, setPins] = useRemembered<string[]>('pinned-metrics', [], asNames);
  const own = run.summaries.filter(one => !one.name.startsWith(SYSTEM_PREFIX));
  const many = own.filter(one => one.count > 1).map(one => one.name);
  const key = JSON.stringify(many);
  const groups = useMemo(
    () => groupMetrics(JSON.parse(key) as string[], options.grouping),
    [key, options.grouping]
  );
  const pinned = new Set(pins);
  const shown = chosenGroups(groups, wanted, pinned);
  const needle = wanted.trim().toLowerCase();
  const once = own.filter(one => one.count <= 1 && one.name.toLowerCase().includes(needle));
  if (own.length === 0) {
    return (
      <EmptyState title="No metrics yet">
        A chart appears with the first call of{' '}
        <code>studio.log_metric(&quot;loss&quot;, loss, step=epoch)</code>; mlflow&apos;s own calls and
        autologging land here, too.
      </EmptyState>
    );
  }
  const pin = (title: string): void =>
    setPins(pinned.has(title) ? pins.filter(one => one !== title) : [...pins, title]);
  return (
    <div className="jp-mls-Metrics">
      <CurveControls options={options} onChange={setOptions} wanted={wanted} onWanted={setWanted} />
      {model.error && (
        <ErrorBox what="The points could not be read" error={model.error} retry={() => model.refresh()} />
      )}
      {once.length > 0 && <Once summaries={once} />}
      <div className="jp-mls-ChartGrid">
        {shown.map(group => (
          <GroupChart
            key={group.title}
            studio={studio}
            group={group}
            model={model}
            startS={startOfRun(run)}
            options={options}
            pinned={pinned.has(group.title)}
            onPin={() => pin(group.title)}
          />
        ))}
      </div>
      {shown.length === 0 && once.length === 0 && (
        <EmptyState>No metric has {wanted} in its name.</EmptyState>
      )}
    </div>
  );
}
