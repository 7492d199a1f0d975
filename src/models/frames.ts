/** DataFrames in a running kernel: which there are, and how one becomes a file. */

/** A DataFrame by the name of its variable. */
export interface Frame {
  name: string;
  rows: number;
  columns: number;
}

/** Evaluates a Python expression in a kernel; answers its repr, rejects with the kernel's error. */
export type Evaluate = (expression: string) => Promise<string>;

/** As hexadecimal digits, no quote or escape of the repr can be misread. */
const LIST = `__import__('json').dumps([
  {'name': n, 'rows': int(v.shape[0]), 'columns': int(v.shape[1])}
  for n, v in list(globals().items())
  if not n.startswith('_') and type(v).__name__ == 'DataFrame'
  and type(v).__module__.split('.')[0] in ('pandas', 'polars')
][:100]).encode().hex()`.replace(/\n\s*/g, ' ');

function text(hex: string): string {
  const digits = hex.replace(/[^0-9a-f]/g, '');
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16));
  return new TextDecoder().decode(bytes);
}

/** The DataFrames of a Python kernel, by their variables' names. */
export async function framesOf(evaluate: Evaluate): Promise<Frame[]> {
  return JSON.parse(text(await evaluate(LIST))) as Frame[];
}

function literal(value: string): string {
  return `bytes.fromhex('${Array.from(new TextEncoder().encode(value), byte => byte.toString(16).padStart(2, '0')).join('')}').decode()`;
}

function writing(name: string, path: string, form: 'parquet' | 'csv'): string {
  const write =
    form === 'parquet'
      ? "(d.write_parquet(p) if hasattr(d, 'write_parquet') else d.to_parquet(p, index=False))"
      : "(d.write_csv(p) if hasattr(d, 'write_csv') else d.to_csv(p, index=False))";
  const folder = "__import__('os').makedirs(__import__('os').path.dirname(p), exist_ok=True)";
  return `(lambda d, p: (${folder}, ${write}))(globals()[${literal(name)}], ${literal(path)}) and 1`;
}

/**
 * Writes a DataFrame as a file in `folder`, an absolute path that the kernel sees: Parquet, which keeps types, or CSV
 * where columns are too mixed for it. Answers the file's name.
 */
export async function writeFrame(
  evaluate: Evaluate,
  name: string,
  folder: string,
  file = name
): Promise<string> {
  const path = (form: string): string => `${folder}/${file}.${form}`;
  try {
    await evaluate(writing(name, path('parquet'), 'parquet'));
    return `${file}.parquet`;
  } catch {
    await evaluate(writing(name, path('csv'), 'csv'));
    return `${file}.csv`;
  }
}
