/** Rows that were registered with a model, as a table. */
import { type JSX, useMemo } from 'react';

import type { Signature } from '../../api/types';
import { type Column, Name, Table } from '../common';
import { columnsOf, readRequest, rowsOf } from './tensors';

interface Row {
  number: number;
  cells: string[];
}

const SHOWN_ROWS = 20;

/** The sample's rows under the names of the features; as JSON where they are no table. */
export function SampleTable({ signature, sample }: { signature: Signature; sample: unknown }): JSX.Element {
  const { columns, rows } = useMemo(() => {
    const request = readRequest(sample);
    const features = (request && columnsOf(signature.inputs, request)) ?? [];
    const cells = request ? rowsOf(features, signature.inputs, request, SHOWN_ROWS) : [];
    return {
      columns: features.map((feature, index): Column<Row> => ({
        id: String(index),
        title: <Name text={feature.label} />,
        numeric: feature.datatype !== 'BYTES',
        cell: row => <Name text={row.cells[index] ?? ''} />
      })),
      rows: cells.map((row, number) => ({ number, cells: row }))
    };
  }, [signature, sample]);

  if (columns.length === 0 || rows.length === 0) {
    return <pre className="jp-mls-Code">{JSON.stringify(sample, null, 2)}</pre>;
  }
  return <Table label="Sample" columns={columns} rows={rows} rowKey={row => String(row.number)} />;
}
