/** What a model takes and answers. */
import type { JSX } from 'react';

import type { Signature, TensorSpec } from '../../api/types';
import { type Column, Name, Table, plural } from '../common';

interface Row extends TensorSpec {
  direction: 'input' | 'output';
}

const COLUMNS: readonly Column<Row>[] = [
  { id: 'direction', title: 'Direction', cell: row => row.direction },
  { id: 'name', title: 'Name', cell: row => <Name text={row.name} /> },
  { id: 'datatype', title: 'Datatype', cell: row => row.datatype },
  { id: 'shape', title: 'Shape', cell: row => shapeText(row.shape) },
  { id: 'onnx', title: 'Name in ONNX', cell: row => <Name text={row.onnx_name || row.name} /> }
];

/** `[any, 30]`: a free dimension says so. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.map(size => (size === -1 ? 'any' : String(size))).join(', ')}]`;
}

/** The names of a matrix's columns, which may be hundreds. */
function Features({ input }: { input: TensorSpec }): JSX.Element | null {
  const { name, columns } = input;
  return columns.length === 0 ? null : (
    <details className="jp-mls-Features">
      <summary>
        {plural(columns.length, 'feature')} of <Name text={name} />
      </summary>
      {columns.map(column => (
        <span key={column} className="jp-mls-Chip">
          <Name text={column} />
        </span>
      ))}
    </details>
  );
}

/** The inputs, outputs and labels of a model. */
export function SignatureTable({ signature }: { signature: Signature }): JSX.Element {
  const rows: Row[] = [
    ...signature.inputs.map(one => ({ ...one, direction: 'input' as const })),
    ...signature.outputs.map(one => ({ ...one, direction: 'output' as const }))
  ];
  const { task, labels } = signature;
  return (
    <>
      <Table label="Signature" columns={COLUMNS} rows={rows} rowKey={row => `${row.direction} ${row.name}`} />
      {signature.inputs.map(input => (
        <Features key={input.name} input={input} />
      ))}
      {signature.inputs
        .filter(input => signature.routed_by.includes(input.name))
        .map(input => (
          <details key={input.name} className="jp-mls-Features">
            <summary>
              A model for each <Name text={input.name} />: {plural(input.choices.length, 'value')}
            </summary>
            {input.choices.map(one => (
              <span key={one} className="jp-mls-Chip">
                <Name text={one} />
              </span>
            ))}
          </details>
        ))}
      <p className="jp-mls-quiet">
        {task}
        {labels.length > 0 && `, ${plural(labels.length, 'class', 'classes')}: `}
        {labels.map(label => (
          <span key={label} className="jp-mls-Chip">
            <Name text={label} />
          </span>
        ))}
      </p>
    </>
  );
}
