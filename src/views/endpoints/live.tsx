/** How an endpoint does now: requests, errors and latencies as small charts. */
import { type JSX, useEffect, useMemo } from 'react';

import type { Endpoint, MetricSeries, Real } from '../../api/types';
import { type IChartSpec, type ISeries, Plot, colorOf } from '../../charts';
import { finiteValues, timeScale } from '../../charts/series';
import type { StudioModel } from '../../models/studio';
import { When, formatMillis, formatNumber, useResource } from '../common';

/** The serve run's metrics. */
const METRICS = ['requests_per_s', 'errors', 'latency_p50_ms', 'latency_p95_ms'] as const;
const CHART_HEIGHT_PX = 150;

interface Line {
  metric: (typeof METRICS)[number];
  name: string;
  color: number;
}

interface SmallChart {
  title: string;
  unit?: string;
  lines: Line[];
}

const CHARTS: SmallChart[] = [
  { title: 'Requests', unit: '1/s', lines: [{ metric: 'requests_per_s', name: 'requests', color: 0 }] },
  { title: 'Errors', lines: [{ metric: 'errors', name: 'errors', color: 3 }] },
  {
    title: 'Latency',
    unit: 'ms',
    lines: [
      { metric: 'latency_p50_ms', name: 'p50', color: 2 },
      { metric: 'latency_p95_ms', name: 'p95', color: 1 }
    ]
  }
];

/** The charts of the points that are there; time counts back from the newest point. */
export function liveSpecs(series: ReadonlyMap<string, MetricSeries>): IChartSpec[] {
  const times = METRICS.flatMap(metric => series.get(metric)?.times ?? []);
  if (times.length === 0) {
    return [];
  }
  const newest = times.reduce((a, b) => Math.max(a, b));
  const { divisor, unit } = timeScale(newest - times.reduce((a, b) => Math.min(a, b)));
  const drawn = (line: Line): ISeries | null => {
    const found = series.get(line.metric);
    if (!found) {
      return null;
    }
    const { values, notFinite } = finiteValues(found.values);
    const x = found.times.map(time => (time - newest) / divisor);
    return { name: line.name, x, y: values, notFinite, color: colorOf(line.color) };
  };
  return CHARTS.map(({ title, unit: valueUnit, lines }) => ({
    title,
    x: { title: 'Before now', unit },
    y: valueUnit === undefined ? { title } : { title, unit: valueUnit },
    series: lines.map(drawn).filter(one => one !== null)
  }));
}

function Count({ name, value }: { name: string; value: string | JSX.Element }): JSX.Element {
  return (
    <div className="jp-mls-Count">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Totals since the endpoint was created, and what the last minute was like. */
export function Counts({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const { stats } = endpoint;
  const latency = (value: Real | null): string => formatMillis(value);
  return (
    <dl className="jp-mls-Counts" data-testid="counts">
      <Count name="Requests" value={formatNumber(stats.requests)} />
      <Count name="Errors" value={formatNumber(stats.errors)} />
      <Count name="Now" value={`${formatNumber(stats.requests_per_s)}/s`} />
      <Count name="p50" value={latency(stats.p50_ms)} />
      <Count name="p95" value={latency(stats.p95_ms)} />
      <Count name="p99" value={latency(stats.p99_ms)} />
      <Count name="Last request" value={<When at={stats.last_request_at} />} />
    </dl>
  );
}

/** Live charts of the run that serves. */
export function LiveCharts({ studio, runId }: { studio: StudioModel; runId: string }): JSX.Element {
  const resource = studio.metrics(runId);
  useEffect(() => resource.want(METRICS), [resource]);
  const { value } = useResource(resource);
  const specs = useMemo(() => liveSpecs(value ?? new Map<string, MetricSeries>()), [value]);
  if (specs.length === 0) {
    return <p className="jp-mls-quiet">Charts appear with the first requests.</p>;
  }
  return (
    <div className="jp-mls-Small">
      {specs.map(spec => (
        <Plot key={spec.title} spec={spec} height={CHART_HEIGHT_PX} />
      ))}
    </div>
  );
}
