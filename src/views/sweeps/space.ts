/**
 * Distributions as text: `loguniform(-6,-1)`, `int(1,1000,log)`, `choice(relu,tanh)`.
 *
 * The grammar is that of `entities/space_text.py`; the server checks what a distribution says.
 */
import type { Distribution } from '../../api/types';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

interface Shape {
  fields: readonly string[];
  required: number;
}

const SHAPES: Record<string, Shape> = {
  choice: { fields: ['values'], required: 1 },
  uniform: { fields: ['min_value', 'max_value'], required: 2 },
  loguniform: { fields: ['min_value', 'max_value'], required: 2 },
  quniform: { fields: ['min_value', 'max_value', 'q'], required: 3 },
  qloguniform: { fields: ['min_value', 'max_value', 'q'], required: 3 },
  normal: { fields: ['mu', 'sigma'], required: 2 },
  lognormal: { fields: ['mu', 'sigma'], required: 2 },
  qnormal: { fields: ['mu', 'sigma', 'q'], required: 3 },
  qlognormal: { fields: ['mu', 'sigma', 'q'], required: 3 },
  randint: { fields: ['upper'], required: 1 },
  int: { fields: ['low', 'high', 'step', 'log'], required: 2 },
  float: { fields: ['low', 'high', 'step', 'log'], required: 2 }
};

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[(){}[\],:=]|[^\s(){}[\],:="']+)/y;
const WORDS: Record<string, Json> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  null: null
};
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MARKS = '(){}[],:=';
const MAX_DEPTH = 30;

function wordOf(token: string): Json {
  if (Object.hasOwn(WORDS, token)) {
    return WORDS[token]!;
  }
  return NUMBER.test(token) ? Number(token) : token;
}

function unquoted(token: string): string {
  const body = token.slice(1, -1);
  return token.startsWith("'")
    ? body.replace(/\\(.)/gs, '$1')
    : (JSON.parse(token.replace(/\n/g, '\\n').replace(/\t/g, '\\t')) as string);
}

class Reader {
  constructor(private readonly text: string) {
    TOKEN.lastIndex = 0;
    const end = text.trimEnd().length;
    while (TOKEN.lastIndex < end) {
      const place = TOKEN.lastIndex;
      const found = TOKEN.exec(text);
      if (!found) {
        throw new Error(`A quotation mark at character ${place + 1} is never closed.`);
      }
      this.tokens.push(found[1]!);
    }
  }

  whole(): Json {
    const value = this.value(0);
    if (this.place < this.tokens.length) {
      throw this.wrong('the end');
    }
    return value;
  }

  private value(depth: number): Json {
    if (depth > MAX_DEPTH) {
      throw new Error(`There are more than ${MAX_DEPTH} brackets in each other.`);
    }
    if (this.taken('{')) {
      return Object.fromEntries(this.items('}', depth, at => this.entry(at)));
    }
    if (this.taken('[')) {
      return this.items(']', depth, at => this.value(at));
    }
    const token = this.next;
    if (token === '' || MARKS.includes(token)) {
      throw this.wrong('a value');
    }
    this.place += 1;
    if (this.taken('(')) {
      return this.distribution(
        token,
        this.items(')', depth, at => this.argument(at))
      );
    }
    return /^["']/.test(token) ? unquoted(token) : wordOf(token);
  }

  private items<T>(end: string, depth: number, read: (depth: number) => T): T[] {
    const found: T[] = [];
    while (!this.taken(end)) {
      if (found.length > 0 && !this.taken(',')) {
        throw this.wrong(`a comma or ${end}`);
      }
      found.push(read(depth + 1));
    }
    return found;
  }

  private entry(depth: number): [string, Json] {
    const token = this.next;
    if (token === '' || MARKS.includes(token)) {
      throw this.wrong('a name');
    }
    this.place += 1;
    if (!this.taken(':') && !this.taken('=')) {
      throw this.wrong('a colon');
    }
    return [/^["']/.test(token) ? unquoted(token) : token, this.value(depth)];
  }

  private argument(depth: number): [string, Json] {
    return this.tokens[this.place + 1] === '=' ? this.entry(depth) : ['', this.value(depth)];
  }

  private distribution(kind: string, given: readonly [string, Json][]): Json {
    const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined;
    if (!shape) {
      throw new Error(`${kind} is no distribution: choose from ${Object.keys(SHAPES).join(', ')}.`);
    }
    if (kind === 'choice' && given.every(([name]) => name === '')) {
      return { type: kind, values: given.map(([, value]) => value) };
    }
    const found: Record<string, Json> = { type: kind };
    given.forEach(([written, value], place) => {
      const log = written === '' && value === 'log' && shape.fields.includes('log');
      const name = log ? 'log' : written || (shape.fields[place] ?? '');
      if (!shape.fields.includes(name) || name in found) {
        throw new Error(`Write it as ${kind}(${shape.fields.join(', ')}).`);
      }
      found[name] = log ? true : value;
    });
    return found;
  }

  private get next(): string {
    return this.tokens[this.place] ?? '';
  }

  private taken(token: string): boolean {
    const found = this.next === token && token !== '';
    this.place += found ? 1 : 0;
    return found;
  }

  private wrong(wanted: string): Error {
    const found = this.next ? this.next : 'the end';
    return new Error(`${wanted} is expected where ${found} is, in ${this.text.trim().slice(0, 60)}.`);
  }

  private readonly tokens: string[] = [];
  private place = 0;
}

/** Reads a distribution; throws an error that says what is wrong with the text. */
export function parseDistribution(text: string): Distribution {
  const value = text.trim().startsWith('{') ? (JSON.parse(text) as Json) : new Reader(text).whole();
  const said = typeof value === 'object' && value !== null && !Array.isArray(value) ? value['type'] : '';
  const kind = typeof said === 'string' ? said : '';
  const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined;
  if (!shape) {
    throw new Error('Write a distribution, such as uniform(0,1), int(2,12) or choice(relu,tanh).');
  }
  const distribution = value as Record<string, Json>;
  const missing = shape.fields.slice(0, shape.required).find(field => distribution[field] === undefined);
  const [low, high] = [distribution[shape.fields[0]!], distribution[shape.fields[1] ?? '']];
  if (missing !== undefined) {
    throw new Error(`${missing} is missing: write it as ${kind}(${shape.fields.join(', ')}).`);
  }
  if (Array.isArray(low) && low.length === 0) {
    throw new Error('A choice has at least one value.');
  }
  if (
    kind !== 'choice' &&
    shape.fields.slice(0, shape.required).some(one => typeof distribution[one] !== 'number')
  ) {
    throw new Error(`Write numbers: ${kind}(${shape.fields.join(', ')}).`);
  }
  if (
    /^(q?(log)?uniform|int|float)$/.test(kind) &&
    typeof low === 'number' &&
    typeof high === 'number' &&
    low > high
  ) {
    throw new Error(`The lower bound ${low} is above the upper bound ${high}.`);
  }
  return distribution;
}

/** The text of a distribution; `parseDistribution` reads it back. */
export function describeDistribution(distribution: Distribution): string {
  return written(distribution as Json);
}

function written(value: Json): string {
  if (Array.isArray(value)) {
    return `[${value.map(written).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const kind = value['type'];
    const shape = typeof kind === 'string' && Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined;
    return shape
      ? distributionText(String(kind), shape, value)
      : `{${Object.entries(value)
          .map(([name, one]) => `${textOf(name)}: ${written(one)}`)
          .join(', ')}}`;
  }
  return typeof value === 'string' ? textOf(value) : value === null ? 'none' : String(value);
}

function distributionText(kind: string, shape: Shape, value: Record<string, Json>): string {
  if (kind === 'choice' && Array.isArray(value['values'])) {
    return `choice(${value['values'].map(written).join(',')})`;
  }
  const parts = shape.fields.flatMap((field, place) => {
    const one = value[field];
    if (place < shape.required) {
      return [written(one ?? null)];
    }
    if (field === 'log') {
      return one ? ['log'] : [];
    }
    return one === undefined || one === null || (kind === 'int' && one === 1)
      ? []
      : [`${field}=${written(one)}`];
  });
  return `${kind}(${parts.join(',')})`;
}

function textOf(text: string): string {
  const plain = /^[^\s(){}[\],:="']+$/.test(text);
  return plain && wordOf(text) === text && !Object.hasOwn(SHAPES, text) ? text : JSON.stringify(text);
}

/** A distribution around the value that a run had: the place to begin with. */
export function suggestDistribution(value: unknown): string {
  if (typeof value === 'boolean') {
    return 'choice(true,false)';
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return `choice(${written((value ?? null) as Json)})`;
  }
  const round = (one: number): string => String(Number(one.toPrecision(2)));
  if (Number.isInteger(value) && value > 0) {
    const [low, high] = [Math.max(1, Math.floor(value / 4)), value * 4];
    return value >= 50 ? `int(${low},${high},log)` : `int(${low},${Math.max(high, low + 1)})`;
  }
  if (value > 0 && value <= 0.2) {
    return `float(${round(value / 10)},${round(Math.min(1, value * 10))},log)`;
  }
  if (value > 0 && value < 1) {
    return 'float(0,1)';
  }
  const span = Math.abs(value) || 1;
  return value > 0
    ? `float(${round(value / 4)},${round(value * 4)})`
    : `float(${round(value - span)},${round(value + span)})`;
}
