import { type JSX, useEffect, useMemo } from 'react';
import type { RunSummary } from '../../../api/types';
import { CommandIDs } from '../../../tokens';
import {
  Button,
  type Column,
  CommandLink,
  Elapsed,
  Name,
  Num,
  StatusBadge,
  Table,
  useResource,
  Section
} from '../../common';
import type { RunProps } from '../header';

const METRIC_COLUMNS = 4;

/** The metrics that most of the children have. */
export function commonMetrics(runs: readonly Pick<RunSummary, 'metrics'>[]): string[] {
  const counts = new Map<string, number>();
  for (const run of runs) {
    for (const name of Object.keys(run.metrics).filter(one => !one.startsWith('system/'))) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .slice(0, METRIC_COLUMNS)
    .map(([name]) => name);
}

/** Runs that this run started. Nothing is drawn when there are none. */
export function Children({ studio, run, execute }: RunProps): JSX.Element | null {
  const model = useMemo(() => studio.runs({ parent_run_id: run.id }), [studio, run.id]);
  useEffect(() => () => model.dispose(), [model]);
  const page = useResource(model).value;
  if (!page || page.items.length === 0) {
    return null;
  }
  const columns: Column<RunSummary>[] = [
    {
      id: 'name',
      title: 'Run',
      cell: child => (
        <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: child.id }}>
          <Name text={child.name} />
        </CommandLink>
      )
    },
    {
      id: 'status',
      title: 'Status',
      cell: child => <StatusBadge status={child.status} reason={child.reason} />
    },
    { id: 'time', title: 'Duration', cell: child => <Elapsed run={child} /> },
    ...commonMetrics(page.items).map(name => ({
      id: `metric ${name}`,
      title: <Name text={name} />,
      numeric: true,
      cell: (child: RunSummary) => <Num value={child.metrics[name]} />
    }))
  ];
  return (
    <Section title="Child runs" note={page.total}>
      <Table columns={columns} rows={page.items} rowKey={child => child.id} label="Child runs" />
      {page.next_page_token && (
        <Button minimal onClick={() => void model.more()}>
          More
        </Button>
      )}
    </Section>
  );
}
