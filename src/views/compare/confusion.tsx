/** What one run gets right that another gets wrong: the difference of two confusion matrices. */
import { type JSX, useState } from 'react';
import { colorOf, tint } from '../../charts/palette';
import { EmptyState, Loading, formatPercent, visible } from '../common';
import { normalise } from '../run/evaluation/measures';
import { type IConfusion, readCharts } from '../run/evaluation/read';
import { Choice } from './choice';
import { useResources } from './hooks';
import type { ComparedProps } from './index';

/** One matrix of one run. */
interface IEntry {
  id: string;
  label: string;
  confusion: IConfusion;
}

/** Differences of the shares of each true class, second minus first; null where a class has no rows. */
export function shareDifference(first: IConfusion, second: IConfusion): (number | null)[][] | null {
  if (first.labels.join('\0') !== second.labels.join('\0')) {
    return null;
  }
  const [a, b] = [normalise(first.matrix, 'row'), normalise(second.matrix, 'row')];
  return a.map((row, y) =>
    row.map((share, x) => {
      const other = b[y]?.[x] ?? null;
      return share === null || other === null ? null : other - share;
    })
  );
}

function signed(share: number | null): string {
  return share === null ? '-' : `${share > 0 ? '+' : ''}${formatPercent(share, 1)}`;
}

/** More on the diagonal and less beside it is better. */
function better(difference: number, diagonal: boolean): boolean {
  return diagonal ? difference > 0 : difference < 0;
}

function DifferenceTable({
  labels,
  cells
}: {
  labels: readonly string[];
  cells: readonly (readonly (number | null)[])[];
}): JSX.Element {
  const most = Math.max(1e-9, ...cells.flat().map(cell => Math.abs(cell ?? 0)));
  return (
    <div className="jp-mls-Confusion-box">
      <table aria-label="Difference of the confusion matrices, rows are true classes">
        <thead>
          <tr>
            <td className="jp-mls-Confusion-corner">true ↓ predicted →</td>
            {labels.map((label, x) => (
              <th key={x} scope="col" title={visible(label)}>
                {visible(label)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cells.map((row, y) => (
            <tr key={y}>
              <th scope="row" title={visible(labels[y] ?? '')}>
                {visible(labels[y] ?? '')}
              </th>
              {row.map((cell, x) => {
                const depth = Math.abs(cell ?? 0) / most;
                const color = colorOf(better(cell ?? 0, x === y) ? 0 : 3);
                return (
                  <td
                    key={x}
                    className={depth > 0.55 ? 'jp-mod-deep' : ''}
                    style={{ background: cell ? tint(color, 0.06 + 0.84 * depth) : undefined }}
                  >
                    {signed(cell)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ConfusionDifference({ studio, runs }: ComparedProps): JSX.Element {
  const ids = runs.map(run => run.id);
  const models = useResources(() => ids.map(id => studio.charts(id)), ids.join());
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  if (models.some(model => model.loading && !model.value)) {
    return <Loading />;
  }
  const entries: IEntry[] = runs.flatMap((run, index) =>
    readCharts(models[index]?.value ?? []).evaluations.flatMap(one =>
      one.confusion
        ? [
            {
              id: `${run.id} ${one.name}`,
              label: one.name ? `${run.name} · ${one.name}` : run.name,
              confusion: one.confusion
            }
          ]
        : []
    )
  );
  const a = entries.find(entry => entry.id === first) ?? entries[0];
  const b =
    entries.find(entry => entry.id === second) ??
    entries.find(entry => entry.id.split(' ')[0] !== a?.id.split(' ')[0]);
  if (!a || !b) {
    return (
      <EmptyState>
        Two of these runs need a confusion matrix. Log one with{' '}
        <code>studio.evaluate(model, X_test, y_test)</code>.
      </EmptyState>
    );
  }
  const options = entries.map(entry => [entry.id, entry.label] as const);
  const cells = shareDifference(a.confusion, b.confusion);
  return (
    <figure className="jp-mls-Confusion">
      <div className="jp-mls-Toolbar">
        <Choice label="From" options={options} value={a.id} onChange={setFirst} />
        <Choice label="to" options={options} value={b.id} onChange={setSecond} />
        <span className="jp-mls-quiet">Shares of each true class; blue is better, vermilion worse.</span>
      </div>
      {cells ? (
        <DifferenceTable labels={a.confusion.labels} cells={cells} />
      ) : (
        <EmptyState>The two matrices are of different classes.</EmptyState>
      )}
    </figure>
  );
}
