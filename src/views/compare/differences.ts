/** What differs between runs. */
import type { Real, Run } from '../../api/types';

export type RowKind = 'run' | 'parameter' | 'metric' | 'package';
export type Value = string | Real | null;

export interface IDifference {
  kind: RowKind;
  name: string;
  /** One value a run, in the order of the runs; null where a run has none. */
  values: Value[];
  differs: boolean;
}

/** Whether two values read the same: ``0.10`` and ``0.1`` do, NaN and NaN do. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) {
    return true;
  }
  if (a === null || b === null || a === '' || b === '') {
    return false;
  }
  return Number.isFinite(Number(a)) && Number(a) === Number(b);
}

function rowOf(kind: RowKind, name: string, values: Value[]): IDifference {
  return { kind, name, values, differs: values.some(value => !sameValue(value, values[0] ?? null)) };
}

function names(runs: readonly Run[], of: (run: Run) => Readonly<Record<string, unknown>>): string[] {
  const all = new Set(runs.flatMap(run => Object.keys(of(run))));
  return [...all].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

function own<V>(record: Readonly<Record<string, V>>, name: string): V | null {
  return Object.hasOwn(record, name) ? record[name]! : null;
}

function facts(runs: readonly Run[]): IDifference[] {
  return [
    rowOf(
      'run',
      'kind',
      runs.map(run => run.kind)
    ),
    rowOf(
      'run',
      'status',
      runs.map(run => run.status)
    ),
    rowOf(
      'run',
      'duration (s)',
      runs.map(run => run.duration_s)
    ),
    rowOf(
      'run',
      'source',
      runs.map(run => run.origin.notebook ?? run.origin.script)
    ),
    rowOf(
      'run',
      'commit',
      runs.map(
        run => run.origin.git && run.origin.git.commit.slice(0, 12) + (run.origin.git.dirty ? ' +dirty' : '')
      )
    ),
    rowOf(
      'run',
      'code',
      runs.map(run => run.snapshot_id && run.snapshot_id.slice(0, 12))
    ),
    rowOf(
      'run',
      'python',
      runs.map(run => run.environment?.python ?? null)
    )
  ];
}

/** Every row of the difference table: facts, parameters, metrics, packages. */
export function differences(runs: readonly Run[]): IDifference[] {
  const packages = (run: Run): Record<string, string> => run.environment?.packages ?? {};
  return [
    ...facts(runs),
    ...names(runs, run => run.params).map(name =>
      rowOf(
        'parameter',
        name,
        runs.map(run => own(run.params, name))
      )
    ),
    ...names(runs, run => run.metrics)
      .filter(name => !name.startsWith('system/'))
      .map(name =>
        rowOf(
          'metric',
          name,
          runs.map(run => own(run.metrics, name))
        )
      ),
    ...names(runs, packages).map(name =>
      rowOf(
        'package',
        name,
        runs.map(run => own(packages(run), name))
      )
    )
  ];
}

/** A value as a number where it is one, for axes. */
export function numeric(value: Value): number | null {
  if (value === null || value === '') {
    return null;
  }
  const read = Number(value);
  return Number.isFinite(read) ? read : null;
}

/** Rows that can be an axis: parameters and metrics with at least one value. */
export function axisRows(rows: readonly IDifference[]): IDifference[] {
  return rows.filter(
    row => (row.kind === 'parameter' || row.kind === 'metric') && row.values.some(value => value !== null)
  );
}

/** The axes that say most at first: parameters that differ, then metrics. */
export function firstAxes(rows: readonly IDifference[], most: number): string[] {
  const useful = axisRows(rows).filter(row => row.differs);
  const parameters = useful.filter(row => row.kind === 'parameter').slice(0, most - 1);
  return [...parameters, ...useful.filter(row => row.kind === 'metric')].slice(0, most).map(axisId);
}

/** A parameter and a metric may have the same name. */
export function axisId(row: Pick<IDifference, 'kind' | 'name'>): string {
  return `${row.kind}: ${row.name}`;
}
