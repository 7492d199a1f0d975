/** Parameters, metrics and facts side by side. */
import { type JSX, useState } from 'react';
import { saveCsv } from '../../charts/save';
import { Button, MISSING, Name, Num, plural } from '../common';
import { differences, type IDifference, type RowKind, type Value } from './differences';
import { RunName, type ComparedProps } from './index';

const TITLES: Record<RowKind, string> = {
  run: 'Run',
  parameter: 'Parameters',
  metric: 'Metrics (last value)',
  package: 'Packages'
};

function Cell({ value, kind }: { value: Value; kind: RowKind }): JSX.Element {
  if (value === null) {
    return <span className="jp-mls-quiet">{MISSING}</span>;
  }
  return kind === 'metric' || typeof value === 'number' ? (
    <Num value={value as number} />
  ) : (
    <Name text={value} />
  );
}

function Group({
  kind,
  rows,
  columns
}: {
  kind: RowKind;
  rows: readonly IDifference[];
  columns: number;
}): JSX.Element | null {
  if (rows.length === 0) {
    return null;
  }
  return (
    <tbody>
      <tr>
        <th colSpan={columns} scope="colgroup" className="jp-mls-Differences-group">
          {TITLES[kind]}
        </th>
      </tr>
      {rows.map(row => (
        <tr key={row.name} className={row.differs ? 'jp-mls-mod-differs' : ''}>
          <th scope="row">
            <Name text={row.name} />
          </th>
          {row.values.map((value, index) => (
            <td key={index}>
              <Cell value={value} kind={row.kind} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

export function Differences({ runs, execute }: ComparedProps): JSX.Element {
  const [only, setOnly] = useState(true);
  const all = differences(runs);
  const rows = all.filter(row => row.differs || (!only && row.kind !== 'package'));
  const kinds = Object.keys(TITLES) as RowKind[];
  const save = (): void =>
    saveCsv(
      {
        columns: ['kind', 'name', ...runs.map(run => run.name)],
        rows: rows.map(row => [row.kind, row.name, ...row.values])
      },
      'comparison'
    );
  return (
    <>
      <div className="jp-mls-Toolbar">
        <label>
          <input type="checkbox" checked={only} onChange={event => setOnly(event.target.checked)} /> Only rows
          that differ
        </label>
        <span className="jp-mls-quiet">
          {plural(rows.filter(row => row.differs).length, 'row')} of {all.length}{' '}
          {rows.length === 1 ? 'differs' : 'differ'}
        </span>
        <span className="jp-mls-Toolbar-space" />
        <Button onClick={save}>Save as CSV</Button>
      </div>
      <div className="jp-mls-Differences" tabIndex={0} role="region" aria-label="Differences">
        <table>
          <thead>
            <tr>
              <td />
              {runs.map((run, index) => (
                <th key={run.id} scope="col">
                  <RunName run={run} index={index} execute={execute} />
                </th>
              ))}
            </tr>
          </thead>
          {kinds.map(kind => (
            <Group
              key={kind}
              kind={kind}
              rows={rows.filter(row => row.kind === kind)}
              columns={runs.length + 1}
            />
          ))}
        </table>
        {rows.length === 0 && <p className="jp-mls-quiet">Nothing differs.</p>}
      </div>
    </>
  );
}
