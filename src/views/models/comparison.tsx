/** Two versions side by side: what would break a caller first, then what differs. */
import type { JSX, ReactNode } from 'react';

import type { ModelComparison, Real } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import { type Column, CommandLink, MISSING, Name, Notice, Table, formatNumber, modelIcon } from '../common';
import { Report, useReport } from './history';

type Change = ModelComparison['metrics'][number];
type SignatureChange = ModelComparison['signature'][number];

/** A value of either side; a number with four digits. */
export function sideText(value: unknown): string {
  if (value === null || value === undefined) {
    return MISSING;
  }
  return typeof value === 'number'
    ? formatNumber(value as Real)
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

/** How far the right value lies from the left one; empty where they are not both numbers. */
export function deltaText({ left, right }: Pick<Change, 'left' | 'right'>): string {
  if (typeof left !== 'number' || typeof right !== 'number') {
    return '';
  }
  const delta = right - left;
  return `${delta > 0 ? '+' : ''}${formatNumber(delta)}`;
}

/** Changes that break a caller first. */
export function breaksFirst(changes: readonly SignatureChange[]): SignatureChange[] {
  return [...changes].sort((a, b) => Number(b.breaks) - Number(a.breaks));
}

function columnsOf(left: string, right: string, delta: boolean): Column<Change>[] {
  return [
    { id: 'name', title: 'Name', cell: one => <Name text={one.name} /> },
    { id: 'left', title: left, numeric: delta, cell: one => <Name text={sideText(one.left)} /> },
    { id: 'right', title: right, numeric: delta, cell: one => <Name text={sideText(one.right)} /> },
    ...(delta
      ? [{ id: 'delta', title: 'Difference', numeric: true, cell: (one: Change) => deltaText(one) }]
      : [])
  ];
}

function Part({ title, children }: { title: string; children: ReactNode }): JSX.Element {
  return (
    <section className="jp-mls-Section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function SignatureChanges({
  changes,
  left,
  right
}: {
  changes: readonly SignatureChange[];
  left: string;
  right: string;
}): JSX.Element {
  const columns: Column<SignatureChange>[] = [
    {
      id: 'breaks',
      title: 'Effect',
      cell: one => (one.breaks ? <strong className="jp-mls-Danger">breaks callers</strong> : 'compatible')
    },
    { id: 'where', title: 'Where', cell: one => one.where },
    { id: 'name', title: 'Name', cell: one => <Name text={one.name} /> },
    { id: 'change', title: 'Change', cell: one => one.change },
    { id: 'left', title: left, cell: one => <Name text={one.left || MISSING} /> },
    { id: 'right', title: right, cell: one => <Name text={one.right || MISSING} /> }
  ];
  return (
    <Table
      label="Signature"
      columns={columns}
      rows={breaksFirst(changes)}
      rowKey={one => `${one.where} ${one.name} ${one.change}`}
    />
  );
}

/** A unified diff, its lines marked as added and removed. */
export function Diff({ text }: { text: string }): JSX.Element {
  return (
    <pre className="jp-mls-Code jp-mls-Diff">
      {text.split('\n').map((line, index) => (
        <span
          key={index}
          className={
            /^\+(?!\+\+)/.test(line) ? 'jp-mls-mod-added' : /^-(?!--)/.test(line) ? 'jp-mls-mod-removed' : ''
          }
        >
          {line}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

const PARTS = [
  ['metrics', 'Metrics', true],
  ['params', 'Parameters', false],
  ['data', 'Data', false],
  ['environment', 'Environment', false],
  ['parity', 'Parity', false],
  ['size', 'Size', true],
  ['latency', 'Latency', true]
] as const;

function Body({ both }: { both: ModelComparison }): JSX.Element {
  const [left, right] = [`v${both.left.version}`, `v${both.right.version}`];
  const breaking = both.signature.filter(one => one.breaks).length;
  const same = PARTS.filter(([part]) => both[part].length === 0)
    .map(([, title]) => title.toLowerCase())
    .concat(both.code.length === 0 ? ['code'] : []);
  return (
    <>
      {breaking > 0 ? (
        <Notice>
          A caller of {left} fails with {right}: its signature differs.
        </Notice>
      ) : (
        <p className="jp-mls-quiet">
          A caller of {left} can be given {right}: its inputs and outputs fit.
        </p>
      )}
      {both.signature.length > 0 && (
        <Part title="Signature">
          <SignatureChanges changes={both.signature} left={left} right={right} />
        </Part>
      )}
      {PARTS.filter(([part]) => both[part].length > 0).map(([part, title, delta]) => (
        <Part key={part} title={part === 'size' ? 'Size (files in bytes)' : title}>
          <Table
            label={title}
            columns={columnsOf(left, right, delta)}
            rows={both[part]}
            rowKey={one => one.name}
          />
        </Part>
      ))}
      {both.code.length > 0 && (
        <Part title="Code">
          {both.code.map(file => (
            <details key={file.path} open={both.code.length === 1}>
              <summary>
                <Name text={file.path} /> <span className="jp-mls-quiet">{file.change}</span>
              </summary>
              {file.diff !== '' && <Diff text={file.diff} />}
              {file.truncated && <p className="jp-mls-quiet">The rest of the diff is left out.</p>}
            </details>
          ))}
        </Part>
      )}
      {same.length > 0 && <p className="jp-mls-quiet">No difference in {same.join(', ')}.</p>}
    </>
  );
}

/** Compares version `left` of a model with version `right`. */
export function VersionsComparison(props: {
  studio: StudioModel;
  execute: Execute;
  name: string;
  left: number;
  right: number;
}): JSX.Element {
  const { studio, execute, name, left, right } = props;
  const ask = (): Promise<ModelComparison> => studio.client.compareVersions(name, left, right);
  const report = useReport(studio, name, ask, `${left} ${right}`);
  return (
    <div className="jp-mls-Noun jp-mls-VersionsComparison">
      <header className="jp-mls-Head">
        <modelIcon.react tag="span" className="jp-mls-Head-icon" aria-hidden="true" />
        <h1>
          <CommandLink execute={execute} command={CommandIDs.openModel} args={{ name }}>
            <Name text={name} />
          </CommandLink>
        </h1>
        <span className="jp-mls-quiet">
          v{left} compared with v{right}
        </span>
      </header>
      <Report report={report} what="comparison">
        {both => <Body both={both} />}
      </Report>
    </div>
  );
}
