/** Many models: a map of how good each part's model is, and the parts as a list. */
import { type CSSProperties, type JSX, useMemo, useState } from 'react';
import { type IChartTheme, useTheme } from '../../charts/theme';
import type { Partition } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import {
  Button,
  CommandLink,
  Name,
  Num,
  StatusBadge,
  Table,
  formatNumber,
  grouped,
  plural,
  shortened,
  visible,
  Section
} from '../common';
import type { RunProps } from '../run/header';
import { shade } from '../sweeps/look';
import { type AutoMLProps, metricOf } from './board';
import { cellKey, goodness, heatOf, partName } from './heat';

const FIRST_ROWS = 100;
const FIRST_COLUMNS = 40;

function lookOf(good: number | null, theme: IChartTheme): CSSProperties {
  if (good === null) {
    return {};
  }
  const dark = theme.light ? good > 0.5 : good < 0.55;
  return { background: shade(good, theme), color: dark ? '#ffffff' : '#1a1a1a' };
}

interface CellProps {
  part: Partition | undefined;
  good: number | null;
  theme: IChartTheme;
  execute: Execute;
}

function Cell({ part, good, theme, execute }: CellProps): JSX.Element {
  if (!part) {
    return <td className="jp-mls-Heat-none" />;
  }
  const what = part.failed
    ? `failed: ${part.failed}`
    : `${part.score === null ? 'no score yet' : String(part.score)}, ${plural(part.rows, 'row')}${part.reused ? ', kept from before' : ''}`;
  return (
    <td>
      <button
        type="button"
        className="jp-mls-Heat-cell"
        style={lookOf(good, theme)}
        title={shortened(visible(`${partName(part)}: ${what}`), 400)}
        data-command={CommandIDs.openRun}
        disabled={!part.run_id}
        onClick={() => void execute(CommandIDs.openRun, { id: part.run_id })}
      >
        {part.failed ? 'failed' : formatNumber(part.score)}
      </button>
    </td>
  );
}

function Heat({ automl, execute }: AutoMLProps & { execute: Execute }): JSX.Element {
  const theme = useTheme();
  const { report } = automl;
  const map = useMemo(() => heatOf(report.partitions), [report.partitions]);
  const good = useMemo(() => goodness(report), [report]);
  const rows = map.rows.slice(0, FIRST_ROWS);
  const columns = map.columns.slice(0, FIRST_COLUMNS);
  const wide = columns.length > 1 || columns[0] !== '';
  const names = Object.keys(report.partitions[0]?.key ?? {});
  const left = map.rows.length - rows.length + (map.columns.length - columns.length);
  return (
    <>
      <div className="jp-mls-TableBox">
        <table className="jp-mls-Heat" aria-label={`${metricOf(automl)} of each part`}>
          {wide && (
            <thead>
              <tr>
                <th scope="col">
                  <Name text={names.join(' × ')} />
                </th>
                {columns.map(column => (
                  <th key={column} scope="col">
                    <Name text={column} />
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map(row => (
              <tr key={row}>
                <th scope="row">
                  <Name text={row} />
                </th>
                {columns.map(column => {
                  const part = map.at.get(cellKey(row, column));
                  return (
                    <Cell
                      key={column}
                      part={part}
                      good={part ? good(part) : null}
                      theme={theme}
                      execute={execute}
                    />
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="jp-mls-quiet">
        {theme.light ? 'Darker' : 'Brighter'} is better.
        {left > 0 && ' Not all fit on the map; the list below has every part.'}
      </p>
    </>
  );
}

function List({ automl, execute }: AutoMLProps & { execute: Execute }): JSX.Element {
  const [all, setAll] = useState(false);
  const { partitions } = automl.report;
  const shown = all ? partitions : partitions.slice(0, FIRST_ROWS);
  return (
    <>
      <Table
        label="Parts"
        rows={shown}
        rowKey={part => JSON.stringify(part.key)}
        columns={[
          {
            id: 'part',
            title: 'Part',
            cell: part =>
              part.run_id ? (
                <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: part.run_id }}>
                  {shortened(visible(partName(part)), 120)}
                </CommandLink>
              ) : (
                <Name text={partName(part)} />
              )
          },
          { id: 'rows', title: 'Rows', numeric: true, cell: part => grouped(part.rows) },
          {
            id: 'score',
            title: <Name text={metricOf(automl)} />,
            numeric: true,
            cell: part => <Num value={part.score} />
          },
          {
            id: 'note',
            title: 'Model',
            cell: part =>
              part.failed ? (
                <span className="jp-mls-Inline">
                  <StatusBadge status="Failed" />
                  <Name text={part.failed} />
                </span>
              ) : (
                <span className="jp-mls-quiet">
                  {part.reused ? 'kept, nothing changed' : part.score === null ? 'to come' : 'new'}
                </span>
              )
          }
        ]}
      />
      {shown.length < partitions.length && (
        <Button minimal onClick={() => setAll(true)}>
          Show all {grouped(partitions.length)} parts
        </Button>
      )}
    </>
  );
}

export function PartitionsTab({ automl, execute }: RunProps & AutoMLProps): JSX.Element {
  const { partitions } = automl.report;
  const reused = partitions.filter(part => part.reused).length;
  return (
    <div className="jp-mls-AutoMLParts">
      <Section
        title={metricOf(automl)}
        note={`${plural(partitions.length, 'part')}${reused > 0 ? `, ${grouped(reused)} kept from before` : ''}`}
      >
        <Heat automl={automl} execute={execute} />
      </Section>
      <Section title="Parts">
        <List automl={automl} execute={execute} />
      </Section>
    </div>
  );
}
