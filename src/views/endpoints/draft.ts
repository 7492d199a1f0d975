/** What stands in "Try it": rows of a form or a request as JSON, and the request that it makes. */
import {
  type Built,
  type CellError,
  type Column,
  type InferenceRequest,
  type Tensor,
  buildRequest,
  columnsOf,
  readRequest,
  rowsOf
} from '../models/tensors';

export type Draft = { mode: 'form'; rows: string[][] } | { mode: 'json'; text: string };

/** What the form is made from; `columns` is null when the model takes no table, so that only JSON can say it. */
export interface Shape {
  inputs: Tensor[];
  columns: Column[] | null;
}

/** The request of a draft, or what is wrong with it. */
export type Read =
  { request: Record<string, unknown> & InferenceRequest } | { errors: CellError[]; message: string };

const PREFILLED_ROWS = 2;

/** Reads the shape of the form from a signature and its sample. */
export function shapeOf(inputs: Tensor[], sample: unknown): Shape {
  return { inputs, columns: columnsOf(inputs, readRequest(sample)) };
}

/** The draft to begin with: the first rows of the sample. */
export function firstDraft(shape: Shape, sample: unknown): Draft {
  const request = readRequest(sample);
  if (!shape.columns) {
    return { mode: 'json', text: JSON.stringify(sample ?? { inputs: [] }, null, 2) };
  }
  const rows = request ? rowsOf(shape.columns, shape.inputs, request, PREFILLED_ROWS) : [];
  return { mode: 'form', rows: rows.length > 0 ? rows : [shape.columns.map(() => '')] };
}

function readJson(text: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      errors: [],
      message: `This is not JSON: ${error instanceof Error ? error.message : String(error)}`
    };
  }
  const request = readRequest(value);
  return request
    ? { request: value as Record<string, unknown> & InferenceRequest }
    : {
        errors: [],
        message: 'A request has "inputs", a list of tensors with name, shape, datatype and data.'
      };
}

function errorsText(errors: CellError[]): string {
  return errors.length === 1
    ? 'One value does not fit its datatype.'
    : `${errors.length} values do not fit their datatype.`;
}

/** Reads the request of a draft. */
export function readDraft(shape: Shape, draft: Draft): Read {
  if (draft.mode === 'json') {
    return readJson(draft.text);
  }
  const built: Built = buildRequest(shape.columns ?? [], shape.inputs, draft.rows);
  return 'errors' in built
    ? { errors: built.errors, message: errorsText(built.errors) }
    : { request: { ...built.request } };
}

/** The same request the other way; the draft itself when its text cannot be read as rows. */
export function switched(shape: Shape, draft: Draft): Draft {
  const read = readDraft(shape, draft);
  if (draft.mode === 'form') {
    const request = 'request' in read ? read.request : { inputs: [] };
    return { mode: 'json', text: JSON.stringify(request, null, 2) };
  }
  const request = 'request' in read ? readRequest(read.request) : null;
  const rows = request && shape.columns ? rowsOf(shape.columns, shape.inputs, request, Infinity) : [];
  return rows.length > 0 ? { mode: 'form', rows } : draft;
}
