import type { JSX } from 'react';
import type { MetricSummary } from '../../../api/types';
import { Sparkline } from '../../../charts/sparkline';
import { type Column, Name, Num, Table, When, grouped } from '../../common';

const COLUMNS: Column<MetricSummary>[] = [
  { id: 'name', title: 'Metric', cell: one => <Name text={one.name} /> },
  { id: 'last', title: 'Last', numeric: true, cell: one => <Num value={one.last} /> },
  { id: 'min', title: 'Min', numeric: true, cell: one => one.count > 1 && <Num value={one.min} /> },
  { id: 'max', title: 'Max', numeric: true, cell: one => one.count > 1 && <Num value={one.max} /> },
  { id: 'step', title: 'Step', numeric: true, cell: one => grouped(Number(one.last_step)) },
  {
    id: 'trend',
    title: 'Trend',
    cell: one => (one.count > 1 ? <Sparkline values={one.sparkline} label={one.name} /> : null)
  },
  { id: 'points', title: 'Points', numeric: true, cell: one => grouped(one.count) },
  { id: 'at', title: 'Logged', cell: one => <When at={one.last_at} /> }
];

/** Last value and extremes of every metric. */
export function MetricsTable({ summaries }: { summaries: readonly MetricSummary[] }): JSX.Element {
  if (summaries.length === 0) {
    return (
      <p className="jp-mls-quiet">No metrics yet. Log one with studio.log_metric(name, value, step=...).</p>
    );
  }
  return <Table columns={COLUMNS} rows={summaries} rowKey={one => one.name} label="Metrics" />;
}
