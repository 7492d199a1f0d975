/** How parameters and metrics hang together over the runs: a scatter of two, parallel coordinates of many. */
import { type JSX, useMemo, useState } from 'react';
import { colorOf } from '../../charts/palette';
import { Parallel } from '../../charts/parallel';
import { Plot } from '../../charts/plot';
import type { IChartSpec } from '../../charts/spec';
import { EmptyState, Name, formatNumber, Section } from '../common';
import { axisId, axisRows, differences, firstAxes, type IDifference, numeric } from './differences';
import { Choice } from './choice';
import type { ComparedProps } from './index';

const FIRST_AXES = 6;

/** Points of the runs that have a number for both columns. */
export function scatterSpec(runs: ComparedProps['runs'], x: IDifference, y: IDifference): IChartSpec {
  const found = runs.flatMap((run, index) => {
    const [a, b] = [numeric(x.values[index] ?? null), numeric(y.values[index] ?? null)];
    return a === null || b === null ? [] : [{ run, index, a, b }];
  });
  return {
    title: `${y.name} over ${x.name}`,
    x: { title: x.name },
    y: { title: y.name },
    series: [
      {
        name: 'runs',
        kind: 'points',
        x: found.map(one => one.a),
        y: found.map(one => one.b),
        color: colorOf(0),
        colors: found.map(one => colorOf(one.index)),
        texts: found.map(one => `${one.run.name}: ${formatNumber(one.a)}, ${formatNumber(one.b)}`)
      }
    ]
  };
}

function Scatter({ runs, rows }: { runs: ComparedProps['runs']; rows: readonly IDifference[] }): JSX.Element {
  const numbers = rows.filter(row => row.values.some(value => numeric(value) !== null));
  const [first, second] = [
    numbers.find(row => row.kind === 'parameter' && row.differs),
    numbers.find(row => row.kind === 'metric')
  ];
  const [chosenX, setX] = useState('');
  const [chosenY, setY] = useState('');
  const x = numbers.find(row => axisId(row) === chosenX) ?? first ?? numbers[0];
  const y = numbers.find(row => axisId(row) === chosenY) ?? second ?? numbers[0];
  const spec = useMemo(() => (x && y ? scatterSpec(runs, x, y) : null), [runs, x, y]);
  if (!x || !y || !spec) {
    return <EmptyState>No parameter or metric of these runs is a number.</EmptyState>;
  }
  const axes = numbers.map(row => [axisId(row), axisId(row)] as const);
  return (
    <>
      <div className="jp-mls-Toolbar">
        <Choice label="x" options={axes} value={axisId(x)} onChange={setX} />
        <Choice label="y" options={axes} value={axisId(y)} onChange={setY} />
      </div>
      <div className="jp-mls-ChartOne">
        <Plot spec={spec} height={340} />
      </div>
    </>
  );
}

export function Relations({ runs }: ComparedProps): JSX.Element {
  const rows = useMemo(() => axisRows(differences(runs)), [runs]);
  const [chosen, setChosen] = useState<string[] | null>(null);
  const ids = chosen ?? firstAxes(rows, FIRST_AXES);
  const axes = rows.filter(row => ids.includes(axisId(row)));
  const turn = (id: string): void =>
    setChosen(ids.includes(id) ? ids.filter(one => one !== id) : [...ids, id]);
  return (
    <>
      <Section title="Parallel coordinates">
        <details className="jp-mls-Details">
          <summary>
            {axes.length} of {rows.length} axes
          </summary>
          <div className="jp-mls-Chips" role="group" aria-label="Axes that are shown">
            {rows.map(row => (
              <label key={axisId(row)} className="jp-mls-Chip">
                <input
                  type="checkbox"
                  checked={ids.includes(axisId(row))}
                  onChange={() => turn(axisId(row))}
                />
                <Name text={axisId(row)} />
              </label>
            ))}
          </div>
        </details>
        {axes.length < 2 ? (
          <EmptyState>Choose two axes or more.</EmptyState>
        ) : (
          <Parallel
            columns={axes.map(row => ({
              name: row.name,
              values: row.values.map(value => numeric(value) ?? value)
            }))}
            lines={runs.map((run, index) => ({ name: run.name, color: colorOf(index) }))}
          />
        )}
      </Section>
      <Section title="Scatter">
        <Scatter runs={runs} rows={rows} />
      </Section>
    </>
  );
}
