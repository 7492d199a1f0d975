/** Reads a notebook (nbformat 4) as text: sources, and those outputs that are text. */

export interface INotebookCell {
  kind: 'code' | 'text';
  source: string;
  count: number | null;
  output: string;
  /** MIME types of outputs that are not shown. */
  hidden: string[];
}

type Data = Record<string, unknown>;

function joined(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join('') : typeof value === 'string' ? value : '';
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function outputOf(output: Data): { text: string; hidden: string[] } {
  if (output['output_type'] === 'stream') {
    return { text: joined(output['text']), hidden: [] };
  }
  if (output['output_type'] === 'error') {
    const trace = Array.isArray(output['traceback']) ? output['traceback'].map(String).join('\n') : '';
    return { text: `${trace || `${joined(output['ename'])}: ${joined(output['evalue'])}`}\n`, hidden: [] };
  }
  const data = isData(output['data']) ? output['data'] : {};
  const plain = joined(data['text/plain']);
  const others = Object.keys(data).filter(type => type !== 'text/plain' && type !== 'text/html');
  return { text: plain && `${plain}\n`, hidden: others };
}

function cellOf(cell: Data): INotebookCell {
  const outputs = (Array.isArray(cell['outputs']) ? cell['outputs'] : []).filter(isData).map(outputOf);
  return {
    kind: cell['cell_type'] === 'code' ? 'code' : 'text',
    source: joined(cell['source']),
    count: typeof cell['execution_count'] === 'number' ? cell['execution_count'] : null,
    output: outputs.map(one => one.text).join(''),
    hidden: [...new Set(outputs.flatMap(one => one.hidden))]
  };
}

/** The cells, or null when the text is no notebook. */
export function readNotebook(text: string): INotebookCell[] | null {
  try {
    const notebook: unknown = JSON.parse(text);
    return isData(notebook) && Array.isArray(notebook['cells'])
      ? notebook['cells'].filter(isData).map(cellOf)
      : null;
  } catch {
    return null;
  }
}
