/**
 * Tensors of the Open Inference Protocol V2 seen as a table: what a model takes, one column per feature.
 *
 * Everything here is pure: text of the form's cells in, a request (or what is wrong with the text) out.
 */

/** One input or output of a signature; -1 in `shape` is a free dimension, `columns` names the features of a matrix. */
export interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  columns?: string[];
  /** The values that there are, where only some have an answer; of very many the first. */
  choices?: string[];
}

/** A value of a tensor; null is a missing number, which a tensor must allow. */
export type Scalar = number | string | boolean | null;

/** One tensor of an inference request, its data flat in row-major order. */
export interface RequestTensor {
  name: string;
  shape: number[];
  datatype: string;
  /** The studio's own parameter: with `allow_null`, null stands for a missing number. */
  parameters?: { allow_null: true };
  data: Scalar[];
}

/** `InferenceRequest` of the Open Inference Protocol V2. */
export interface InferenceRequest {
  inputs: RequestTensor[];
}

/** One feature: the `offset`-th column of the `input`-th tensor. */
export interface Column {
  input: number;
  offset: number;
  label: string;
  datatype: string;
  /** Whether an empty cell is a missing number. */
  nullable: boolean;
  /** The values to choose from; none where every value has an answer. */
  choices: readonly string[];
}

/** What is wrong with one cell of the form. */
export interface CellError {
  row: number;
  column: number;
  message: string;
}

export type Parsed = { value: Scalar } | { message: string };
export type Built = { request: InferenceRequest } | { errors: CellError[] };

const INTEGER_BITS: Record<string, [min: bigint, max: bigint]> = Object.fromEntries(
  [8n, 16n, 32n, 64n].flatMap(bits => [
    [`INT${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
    [`UINT${bits}`, [0n, 2n ** bits - 1n]]
  ])
) as Record<string, [bigint, bigint]>;

const LARGEST_FLOAT: Record<string, number> = {
  FP16: 65504,
  FP32: 3.4028234663852886e38,
  FP64: Number.MAX_VALUE
};

/** Tells whether values of this datatype are fractions. */
export function isFloat(datatype: string): boolean {
  return datatype in LARGEST_FLOAT;
}

/** How many columns a tensor adds to the table; null when it is no table (an image, a free width). */
function widthOf(shape: number[], sampleShape: number[] | undefined): number | null {
  if (shape.length === 1) {
    return 1;
  }
  if (shape.length !== 2) {
    return null;
  }
  const width = shape[1] === -1 ? (sampleShape?.[1] ?? -1) : (shape[1] ?? -1);
  return width > 0 ? width : null;
}

/**
 * Lists the features that a model takes, one column each.
 *
 * @param inputs - the signature's inputs
 * @param sample - a request from which a width that the signature leaves free is taken
 * @returns null when an input is no table of rows and columns, so that only JSON can say it
 */
export function columnsOf(inputs: Tensor[], sample: InferenceRequest | null = null): Column[] | null {
  const columns: Column[] = [];
  for (const [input, tensor] of inputs.entries()) {
    const example = sample?.inputs.find(one => one.name === tensor.name);
    const width = widthOf(tensor.shape, example?.shape);
    if (width === null) {
      return null;
    }
    for (let offset = 0; offset < width; offset++) {
      const label = tensor.columns?.[offset] ?? (width === 1 ? tensor.name : `${tensor.name}[${offset}]`);
      const nullable = example?.parameters?.allow_null === true;
      columns.push({
        input,
        offset,
        label,
        datatype: tensor.datatype,
        nullable,
        choices: tensor.choices ?? []
      });
    }
  }
  return columns.length > 0 ? columns : null;
}

function flat(data: unknown): Scalar[] {
  if (Array.isArray(data)) {
    return data.flatMap(flat);
  }
  const scalar = data === null || ['number', 'string', 'boolean'].includes(typeof data);
  return scalar ? [data as Scalar] : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads tensors as a request or an answer holds them; what is not a tensor is left out. */
export function readTensors(value: unknown): RequestTensor[] {
  if (!Array.isArray(value)) {
    return [];
  }
  return value.filter(isRecord).map(one => ({
    name: String(one.name ?? ''),
    shape: Array.isArray(one.shape) ? one.shape.map(Number) : [],
    datatype: String(one.datatype ?? ''),
    ...(isRecord(one.parameters) && one.parameters.allow_null === true
      ? { parameters: { allow_null: true as const } }
      : {}),
    data: flat(one.data)
  }));
}

/** Reads a stored sample; null when there is none. */
export function readRequest(sample: unknown): InferenceRequest | null {
  const inputs = isRecord(sample) ? readTensors(sample.inputs) : [];
  return inputs.length > 0 ? { inputs } : null;
}

/** How many values belong to one row of a tensor. */
export function rowWidth(tensor: RequestTensor): number {
  return tensor.shape.slice(1).reduce((product, size) => product * size, 1);
}

/** The rows of a request as text for the cells of a form, at most `limit` of them. */
export function rowsOf(
  columns: Column[],
  inputs: Tensor[],
  request: InferenceRequest,
  limit = 5
): string[][] {
  const tensors = inputs.map(input => request.inputs.find(one => one.name === input.name));
  const count = Math.min(limit, Math.max(0, ...tensors.map(one => one?.shape[0] ?? 0)));
  return Array.from({ length: count }, (_, row) =>
    columns.map(column => {
      const tensor = tensors[column.input];
      const value = tensor?.data[row * rowWidth(tensor) + column.offset];
      return value === undefined || value === null ? '' : String(value);
    })
  );
}

function parseInteger(text: string, datatype: string, [min, max]: [bigint, bigint]): Parsed {
  if (!/^[-+]?\d+$/.test(text)) {
    return { message: `${datatype} takes a whole number` };
  }
  const value = BigInt(text);
  if (value < min || value > max) {
    return { message: `${datatype} goes from ${min} to ${max}` };
  }
  const number = Number(value);
  return Number.isSafeInteger(number)
    ? { value: number }
    : { message: 'a browser sends whole numbers up to 2^53 only' };
}

function parseFloatCell(text: string, datatype: string): Parsed {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    return { message: `${datatype} takes a finite number` };
  }
  if (Math.abs(value) > (LARGEST_FLOAT[datatype] ?? Number.MAX_VALUE)) {
    return { message: `${datatype} goes up to ${LARGEST_FLOAT[datatype]}` };
  }
  return { value };
}

/** Reads the text of one cell as a value of `datatype`, as strictly as the endpoint does. */
export function parseCell(text: string, datatype: string): Parsed {
  if (datatype === 'BYTES') {
    return { value: text };
  }
  const trimmed = text.trim();
  if (trimmed === '') {
    return { message: 'needs a value' };
  }
  if (datatype === 'BOOL') {
    return /^(true|false)$/i.test(trimmed)
      ? { value: /^true$/i.test(trimmed) }
      : { message: 'BOOL takes true or false' };
  }
  const range = INTEGER_BITS[datatype];
  if (range !== undefined) {
    return parseInteger(trimmed, datatype, range);
  }
  return isFloat(datatype)
    ? parseFloatCell(trimmed, datatype)
    : { message: `${datatype} can only be sent as JSON` };
}

/** Makes the request that the rows of a form stand for, or says which cells are not values of their datatype. */
export function buildRequest(columns: Column[], inputs: Tensor[], rows: string[][]): Built {
  const errors: CellError[] = [];
  const tensors = inputs.map((input): RequestTensor => {
    const width = columns.filter(column => inputs[column.input] === input).length;
    const shape = input.shape.length === 1 ? [rows.length] : [rows.length, width];
    const nullable = columns.some(column => inputs[column.input] === input && column.nullable);
    const parameters = nullable ? { parameters: { allow_null: true as const } } : {};
    return { name: input.name, shape, datatype: input.datatype, ...parameters, data: [] };
  });
  for (const [row, cells] of rows.entries()) {
    for (const [index, column] of columns.entries()) {
      const text = cells[index] ?? '';
      const missing = column.nullable && text.trim() === '';
      const parsed: Parsed = missing ? { value: null } : parseCell(text, column.datatype);
      if ('message' in parsed) {
        errors.push({ row, column: index, message: parsed.message });
      } else {
        tensors[column.input]?.data.push(parsed.value);
      }
    }
  }
  return errors.length > 0 ? { errors } : { request: { inputs: tensors } };
}
