/** Columns of the runs' table: what a column's id stands for, how it is read, named and sorted by. */
import type { ExperimentColumns, RunSummary } from '../../api/types';
import { SYSTEM_METRIC } from '../sidebar/runrow';

export type Group = 'run' | 'metrics' | 'params' | 'tags';

/** `metrics.accuracy` as its group and name. */
export interface ColumnId {
  group: Group;
  name: string;
}

/** A sort order; the id is a column's. */
export interface Sort {
  column: string;
  descending: boolean;
}

/** What is known of every run, with the attribute that the server sorts by (null: it does not). */
export const RUN_COLUMNS: Readonly<
  Record<string, { title: string; attribute: string | null; width: number }>
> = {
  status: { title: 'Status', attribute: 'status', width: 116 },
  created: { title: 'Created', attribute: 'created', width: 104 },
  duration: { title: 'Duration', attribute: 'duration', width: 96 },
  kind: { title: 'Kind', attribute: 'kind', width: 84 },
  user: { title: 'User', attribute: 'user', width: 96 },
  target: { title: 'Compute', attribute: null, width: 88 },
  progress: { title: 'Progress', attribute: null, width: 104 }
};

const MAX_FIRST = 4;

export function parseColumn(id: string): ColumnId {
  const at = id.indexOf('.');
  const group = id.slice(0, at) as Group;
  return { group, name: id.slice(at + 1) };
}

export function columnId(group: Group, name: string): string {
  return `${group}.${name}`;
}

export function columnTitle(id: string): string {
  const { group, name } = parseColumn(id);
  return group === 'run' ? (RUN_COLUMNS[name]?.title ?? name) : name;
}

export function columnWidth(id: string): number {
  const { group, name } = parseColumn(id);
  return group === 'run'
    ? (RUN_COLUMNS[name]?.width ?? 100)
    : Math.min(200, Math.max(88, 44 + 7.5 * name.length));
}

/** Columns that a table starts with: status, when, how long, the primary metric first, a few more, a few parameters. */
export function firstColumns(
  known: ExperimentColumns | undefined,
  primary: string | null | undefined
): string[] {
  const own = (known?.metrics ?? []).filter(name => !SYSTEM_METRIC.test(name));
  const metrics = [...new Set([...(primary ? [primary] : []), ...own])].slice(0, MAX_FIRST);
  return [
    'run.status',
    'run.created',
    'run.duration',
    ...metrics.map(name => columnId('metrics', name)),
    ...(known?.params ?? []).slice(0, MAX_FIRST).map(name => columnId('params', name))
  ];
}

/** The server's `order_by` of a sort order, in MLflow's grammar; undefined where the server cannot sort. */
export function orderBy(sort: Sort | null): string | undefined {
  if (!sort) {
    return undefined;
  }
  const { group, name } = parseColumn(sort.column);
  const direction = sort.descending ? 'DESC' : 'ASC';
  if (group === 'run') {
    const attribute = name === 'name' ? 'run_name' : RUN_COLUMNS[name]?.attribute;
    return attribute ? `attributes.${attribute} ${direction}` : undefined;
  }
  return `${group}.${quoted(name)} ${direction}`;
}

/** Whether the table can be sorted by a column. */
export function sortable(id: string): boolean {
  return orderBy({ column: id, descending: true }) !== undefined;
}

/** The next order when a header is clicked: first the direction that is looked for, then the other, then none. */
export function nextSort(now: Sort | null, column: string): Sort | null {
  if (now?.column !== column) {
    return { column, descending: parseColumn(column).group !== 'params' };
  }
  const first = parseColumn(column).group !== 'params';
  return now.descending === first ? { column, descending: !first } : null;
}

/** What a cell of a parameter or tag holds, `undefined` for nothing. */
export function textOf(run: RunSummary, group: 'params' | 'tags', name: string): string | undefined {
  return run[group][name];
}

function quoted(name: string): string {
  return /^[A-Za-z_][\w]*$/.test(name) ? name : name.includes('`') ? `"${name}"` : `\`${name}\``;
}
