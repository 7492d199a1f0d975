/** Tables, figures and pictures that user code logged. */
import { type JSX, useMemo } from 'react';
import type { Chart } from '../../../api/types';
import { DataTable } from '../../../charts/datatable';
import { PlotlyFigure } from '../../../charts/plotlyfigure';
import { saveCsv } from '../../../charts/save';
import type { ITable } from '../../../charts/spec';
import { PreviewModel } from '../../../models/preview';
import { Button, ErrorBox, Loading, Notice, When, Section } from '../../common';
import { CodeText, FilePreview } from '../filepreview';
import type { RunProps } from '../header';
import { useOwned } from '../own';
import type { IOtherChart } from './read';

function cell(value: unknown): string | number | null {
  return value === null || value === undefined
    ? null
    : typeof value === 'number'
      ? value
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
}

/** Reads ``{"columns": [...], "rows": [[...]]}``; what is missing is empty. */
export function readTable(data: Chart['data']): ITable {
  const columns = Array.isArray(data['columns']) ? data['columns'].map(String) : [];
  const rows = Array.isArray(data['rows'])
    ? data['rows'].map(row => (Array.isArray(row) ? row.map(cell) : [cell(row)]))
    : [];
  return { columns, rows };
}

function TableChart({ chart }: { chart: Chart }): JSX.Element {
  const table = useMemo(() => readTable(chart.data), [chart.data]);
  return (
    <>
      <DataTable table={table} label={chart.name} height={Math.min(420, 40 + 26 * table.rows.length)} />
      <Button minimal onClick={() => saveCsv(table, chart.name)}>
        Save as CSV
      </Button>
    </>
  );
}

function ImageChart({
  studio,
  run,
  chart
}: Pick<RunProps, 'studio' | 'run'> & { chart: Chart }): JSX.Element {
  const path = String(chart.data['path'] ?? '');
  const model = useOwned(
    () => new PreviewModel(studio.feed, studio.client, run.id, path, 'artifacts'),
    JSON.stringify([run.id, path])
  );
  if (!model.value) {
    return model.error ? (
      <ErrorBox what="The picture could not be read" error={model.error} retry={() => model.refresh()} />
    ) : (
      <Loading />
    );
  }
  return <FilePreview preview={model.value} label={chart.name} />;
}

function Body({
  studio,
  run,
  other
}: Pick<RunProps, 'studio' | 'run'> & { other: IOtherChart }): JSX.Element {
  const { chart, problem } = other;
  if (problem) {
    return (
      <>
        <Notice>{problem}</Notice>
        <details className="jp-mls-Details">
          <summary>Its data</summary>
          <CodeText
            text={JSON.stringify(chart.data, null, 2).slice(0, 100_000)}
            label={`Data of ${chart.name}`}
          />
        </details>
      </>
    );
  }
  switch (chart.schema_type) {
    case 'table':
      return <TableChart chart={chart} />;
    case 'plotly':
      return <PlotlyFigure source={chart.data} />;
    default:
      return <ImageChart studio={studio} run={run} chart={chart} />;
  }
}

export function OtherCharts({
  studio,
  run,
  others
}: Pick<RunProps, 'studio' | 'run'> & { others: readonly IOtherChart[] }): JSX.Element {
  return (
    <div className="jp-mls-Others">
      {others.map(other => (
        <Section key={other.chart.name} title={other.chart.name} note={<When at={other.chart.at} />}>
          <Body studio={studio} run={run} other={other} />
        </Section>
      ))}
    </div>
  );
}
