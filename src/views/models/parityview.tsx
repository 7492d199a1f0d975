/** The proof that ONNX answers like the original. */
import type { JSX } from 'react';

import type { ParityAttempt, ParityReport } from '../../api/types';
import { type Column, KeyValueTable, Name, Table, plural, shortened } from '../common';
import { attemptText, differenceText, dtypeText, paritySentence, policyText } from './parity';

const COLUMNS: readonly Column<ParityAttempt>[] = [
  { id: 'dtype', title: 'Number type', cell: one => dtypeText(one.dtype) },
  { id: 'flips', title: 'Label flips', numeric: true, cell: one => one.label_flips ?? '-' },
  {
    id: 'max',
    title: 'Largest difference',
    numeric: true,
    cell: one => differenceText(one.max_abs_difference)
  },
  {
    id: 'mean',
    title: 'Mean difference',
    numeric: true,
    cell: one => differenceText(one.mean_abs_difference)
  },
  { id: 'outcome', title: 'Outcome', cell: one => <span className="jp-mls-Wrap">{attemptText(one)}</span> }
];

function Json({ value }: { value: unknown }): JSX.Element {
  return (
    <code className="jp-mls-Wrap">
      {value === null ? 'too large to show' : shortened(JSON.stringify(value), 400)}
    </code>
  );
}

const WORST: readonly Column<ParityReport['worst'][number]>[] = [
  { id: 'row', title: 'Row', numeric: true, cell: one => one.row },
  { id: 'difference', title: 'Difference', numeric: true, cell: one => differenceText(one.difference) },
  { id: 'flipped', title: 'Label', cell: one => (one.flipped ? 'differs' : 'same') },
  { id: 'native', title: 'Original answers', cell: one => <Json value={one.native} /> },
  { id: 'onnx', title: 'ONNX answers', cell: one => <Json value={one.onnx} /> },
  { id: 'inputs', title: 'Inputs', cell: one => <Json value={one.inputs} /> }
];

/** `0.5` and `p50` are both the median: what share of the rows differs by no more. */
export function quantileName(key: string): string {
  const share = Number(key.replace(/^p(?=\d)/, '')) / (key.startsWith('p') ? 100 : 1);
  return share >= 0 && share <= 1 ? `${Number((share * 100).toPrecision(4))} % of rows within` : key;
}

/** The report of the comparison: one sentence, the numbers, and the ladder of attempts. */
export function ParityView({ report }: { report: ParityReport }): JSX.Element {
  const flips: [string, string][] =
    report.label_flips === null ? [] : [['Label flips', String(report.label_flips)]];
  const quantiles = Object.entries(report.quantiles).map(([key, value]): [string, string] => [
    quantileName(key),
    differenceText(value)
  ]);
  return (
    <>
      <p className="jp-mls-Sentence">{paritySentence(report)}</p>
      <div className="jp-mls-Columns">
        <KeyValueTable
          label="Parity"
          rows={[
            ['Compared', plural(report.rows, 'row')],
            ...flips,
            ['Largest difference', differenceText(report.max_abs_difference)],
            ['Mean difference', differenceText(report.mean_abs_difference)],
            ...quantiles
          ]}
        />
        <KeyValueTable
          label="ONNX file"
          rows={[
            ['Tolerance', differenceText(report.tolerance)],
            ['Allowed', policyText(report)],
            ['Ties', report.ties === 0 ? 'none' : plural(report.ties, 'row')],
            ['Number type', dtypeText(report.dtype)],
            ['Opset', String(report.opset)],
            [
              'Original’s answers',
              report.recorded ? `recorded by ${report.recorded} at logging` : 'computed when it was converted'
            ],
            ['Runtime', <Name key="runtime" text={report.runtime} />],
            ['Worst rows of the sample', report.worst_rows.join(', ') || 'none']
          ]}
        />
      </div>
      {report.worst.length > 0 && (
        <details>
          <summary>The {plural(report.worst.length, 'row')} that differ most, with both answers</summary>
          <Table label="Worst rows" columns={WORST} rows={report.worst} rowKey={one => String(one.row)} />
        </details>
      )}
      {report.attempts.length > 0 && (
        <Table
          label="Number types tried"
          columns={COLUMNS}
          rows={report.attempts}
          rowKey={one => one.dtype}
        />
      )}
    </>
  );
}
