/** What the ONNX file of a version holds: its operators in order, what goes in and out, and where it comes from. */
import { type JSX, useMemo, useState } from 'react';

import type { Graph, GraphNode, GraphTensor } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import {
  Button,
  type Column,
  ErrorBox,
  KeyValueTable,
  Loading,
  MISSING,
  Name,
  Table,
  formatNumber,
  plural,
  shortened,
  useResource
} from '../common';

const SHOWN = 50;

/** `float[?, 30]`. */
export function tensorText({ type, shape }: GraphTensor): string {
  return `${type}[${shape.join(', ')}]`;
}

interface Row {
  number: number;
  node: GraphNode;
}

/** Nodes whose operator, name or tensors hold the text; `operator` is one exactly. */
export function nodesWith(graph: Graph, text: string, operator: string): Row[] {
  const wanted = text.trim().toLowerCase();
  return graph.nodes
    .map((node, at) => ({ number: at + 1, node }))
    .filter(({ node }) => operator === '' || operatorName(node) === operator)
    .filter(({ node: { op, name, inputs, outputs } }) =>
      [op, name, ...inputs, ...outputs].some(one => one.toLowerCase().includes(wanted))
    );
}

function operatorName({ domain, op }: GraphNode): string {
  return domain === '' ? op : `${domain}:${op}`;
}

function Links(props: { names: readonly string[]; known: ReadonlyMap<string, GraphTensor> }): JSX.Element {
  return (
    <ul className="jp-mls-Plain">
      {props.names.map((name, at) => {
        const tensor = props.known.get(name);
        return (
          <li key={at} className="jp-mls-Graph-link">
            <Name text={name === '' ? MISSING : name} />
            {tensor && <span className="jp-mls-quiet">{tensorText(tensor)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

function Attributes({ attributes }: Pick<GraphNode, 'attributes'>): JSX.Element {
  const all = Object.entries(attributes);
  if (all.length === 0) {
    return <>{MISSING}</>;
  }
  return (
    <details>
      <summary>{plural(all.length, 'attribute')}</summary>
      <ul className="jp-mls-Plain">
        {all.map(([name, value]) => (
          <li key={name}>
            <Name text={`${name}: ${shortened(value, 200)}`} className="jp-mls-Wrap" />
          </li>
        ))}
      </ul>
    </details>
  );
}

function columnsFor(known: ReadonlyMap<string, GraphTensor>): Column<Row>[] {
  return [
    { id: 'number', title: '#', numeric: true, cell: ({ number }) => number },
    { id: 'op', title: 'Operator', cell: ({ node }) => <Name text={operatorName(node)} /> },
    { id: 'name', title: 'Name', cell: ({ node }) => <Name text={node.name || MISSING} /> },
    { id: 'in', title: 'In', cell: ({ node }) => <Links names={node.inputs} known={known} /> },
    { id: 'out', title: 'Out', cell: ({ node }) => <Links names={node.outputs} known={known} /> },
    {
      id: 'attributes',
      title: 'Attributes',
      cell: ({ node }) => <Attributes attributes={node.attributes} />
    }
  ];
}

function tensorRows(tensors: readonly GraphTensor[]): [string, string][] {
  return tensors.map(tensor => [tensor.name, tensorText(tensor)]);
}

function Facts({ graph }: { graph: Graph }): JSX.Element {
  const opsets = Object.entries(graph.opsets).map(([domain, version]) => `${domain} ${version}`);
  const maker = [graph.producer, graph.producer_version].filter(one => one !== '').join(' ');
  return (
    <div className="jp-mls-Columns">
      <KeyValueTable
        label="Graph"
        rows={[
          [
            'Operators',
            `${formatNumber(graph.node_count)}, of ${plural(Object.keys(graph.operators).length, 'kind')}`
          ],
          ['Opset', opsets.join(', ')],
          ['IR version', String(graph.ir_version)],
          ['Constants', `${formatNumber(graph.initialiser_count)} with ${plural(graph.parameters, 'value')}`],
          ['Made by', maker || MISSING],
          ...Object.entries(graph.metadata)
        ]}
      />
      <div>
        <h4>Inputs</h4>
        <KeyValueTable label="Inputs" rows={tensorRows(graph.inputs)} />
        <h4>Outputs</h4>
        <KeyValueTable label="Outputs" rows={tensorRows(graph.outputs)} />
      </div>
    </div>
  );
}

function Operators({ graph }: { graph: Graph }): JSX.Element {
  const [text, setText] = useState('');
  const [operator, setOperator] = useState('');
  const [all, setAll] = useState(false);
  const columns = useMemo(() => {
    const { initialisers, inputs, outputs, values } = graph;
    const tensors = [...(values ?? []), ...initialisers, ...inputs, ...outputs];
    return columnsFor(new Map(tensors.map(tensor => [tensor.name, tensor])));
  }, [graph]);
  const found = useMemo(() => nodesWith(graph, text, operator), [graph, text, operator]);
  const kinds = useMemo(() => [...new Set(graph.nodes.map(operatorName))].sort(), [graph]);
  const shown = all ? found : found.slice(0, SHOWN);
  return (
    <>
      <div className="jp-mls-Inline jp-mls-Graph-tools">
        <select
          className="jp-mod-styled"
          aria-label="Operator"
          value={operator}
          onChange={event => setOperator(event.target.value)}
        >
          <option value="">all operators</option>
          {kinds.map(kind => (
            <option key={kind} value={kind}>
              {kind} ({graph.operators[kind] ?? 0})
            </option>
          ))}
        </select>
        <input
          type="search"
          className="jp-mod-styled"
          placeholder="Operator, node or tensor"
          aria-label="Search the graph"
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <span className="jp-mls-quiet">
          {formatNumber(found.length)} of {formatNumber(graph.node_count)}
        </span>
      </div>
      {found.length === 0 ? (
        <p className="jp-mls-quiet">No operator is like that.</p>
      ) : (
        <Table label="Operators" columns={columns} rows={shown} rowKey={row => String(row.number)} />
      )}
      {found.length > shown.length && (
        <Button minimal onClick={() => setAll(true)}>
          {found.length - shown.length} more
        </Button>
      )}
      {!graph.whole && (
        <p className="jp-mls-quiet">The graph is larger than what is listed; the counts are of all of it.</p>
      )}
    </>
  );
}

function Whole({
  studio,
  name,
  version
}: {
  studio: StudioModel;
  name: string;
  version: number;
}): JSX.Element {
  const resource = useResource(studio.graph(name, version));
  const { value: graph, error } = resource;
  if (!graph) {
    return error ? (
      <ErrorBox what="The graph cannot be shown." error={error} retry={() => resource.refresh()} />
    ) : (
      <Loading what="Reading the graph" />
    );
  }
  return (
    <>
      <Facts graph={graph} />
      <Operators graph={graph} />
    </>
  );
}

/** The graph, read when it is asked for. */
export function GraphView(props: { studio: StudioModel; name: string; version: number }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>Operators, shapes and constants of the ONNX file</summary>
      {open && <Whole {...props} />}
    </details>
  );
}
