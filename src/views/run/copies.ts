/** A run as text that starts it again: Python, YAML, curl. */
import type { Run, RunSpec } from '../../api/types';

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

const DEFAULTS: Record<string, string> = {
  target: '"local"',
  priority: '0',
  folder: '""',
  resources: '{"cpus":1,"memory_bytes":0,"gpus":0}',
  limits: '{"wall_time_s":null,"memory_bytes":null}'
};

function isPlain(value: Value): value is Record<string, Value> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The part of a specification that says something: no empty values and no defaults. */
export function meaningful(spec: RunSpec): Record<string, Value> {
  const entries = Object.entries(spec as unknown as Record<string, Value>).filter(([key, value]) => {
    const empty =
      value === null ||
      (Array.isArray(value) && value.length === 0) ||
      (isPlain(value) && Object.keys(value).length === 0);
    return !empty && DEFAULTS[key] !== JSON.stringify(value);
  });
  return Object.fromEntries(entries);
}

function submission(run: Run): Record<string, Value> {
  return { kind: run.kind, name: run.name, experiment: run.experiment, spec: meaningful(run.spec) };
}

function pythonText(value: Value, indent = ''): string {
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (typeof value === 'string') {
    return pythonString(value, indent);
  }
  if (Array.isArray(value)) {
    return `[${value.map(one => pythonText(one, indent)).join(', ')}]`;
  }
  if (isPlain(value)) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${JSON.stringify(key)}: ${pythonText(one, indent)}`)
      .join(', ')}}`;
  }
  return String(value);
}

function pythonString(text: string, indent: string): string {
  if (text.includes('\n') && !text.includes("'''") && !text.includes('\\') && indent === '') {
    return `'''\n${text.replace(/\n?$/, '\n')}'''`;
  }
  return JSON.stringify(text);
}

/** What `studio.submit` calls the parts of a specification. */
function pythonArguments(spec: RunSpec): Record<string, Value> {
  const { params, args, env, folder, python, kernel, target, priority } = spec;
  const plain = meaningful({ params, args, env, folder, python, kernel, target, priority } as RunSpec);
  const { resources, limits } = spec;
  return {
    ...plain,
    ...(resources.cpus === 1 ? {} : { cpus: resources.cpus }),
    ...(resources.memory_bytes === 0 ? {} : { memory: resources.memory_bytes }),
    ...(resources.gpus === 0 ? {} : { gpus: resources.gpus }),
    ...(limits.wall_time_s === null ? {} : { timeout: limits.wall_time_s }),
    ...(limits.memory_bytes === null ? {} : { memory_limit: limits.memory_bytes })
  };
}

/** How the Python client submits the same work. */
export function asPython(run: Run): string {
  if (run.kind === 'interactive') {
    const named = `name=${JSON.stringify(run.name)}, experiment=${JSON.stringify(run.experiment)}`;
    return `import jupyter_mlstudio as studio\n\nwith studio.start_run(${named}) as run:\n    ...\n`;
  }
  const work = run.spec.cell ?? run.spec.script ?? run.spec.notebook ?? run.spec.command;
  const lines = [
    `    ${pythonText(work)}`,
    `    name=${JSON.stringify(run.name)}`,
    `    experiment=${JSON.stringify(run.experiment)}`,
    ...Object.entries(pythonArguments(run.spec)).map(
      ([key, value]) => `    ${key}=${pythonText(value, '    ')}`
    )
  ];
  return `import jupyter_mlstudio as studio\n\nrun = studio.submit(\n${lines.join(',\n')},\n)\n`;
}

function yamlLines(value: Value, indent: string): string[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap(one => {
      const [head = '', ...tail] = yamlLines(one, `${indent}  `);
      return [`${indent}- ${head.trimStart()}`, ...tail];
    });
  }
  if (isPlain(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, one]) => yamlEntry(key, one, indent));
  }
  return [`${indent}${JSON.stringify(value)}`];
}

function yamlEntry(key: string, value: Value, indent: string): string[] {
  const name = `${indent}${/^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key)}:`;
  const nested =
    (Array.isArray(value) && value.length > 0) || (isPlain(value) && Object.keys(value).length > 0);
  // A text in JSON's quotes is a text in YAML, too.
  return nested ? [name, ...yamlLines(value, `${indent}  `)] : [`${name} ${JSON.stringify(value)}`];
}

/** The submission as YAML 1.2. */
export function asYaml(run: Run): string {
  return `${yamlLines(submission(run), '').join('\n')}\n`;
}

/** The submission as a request to this server; the token stays a variable. */
export function asCurl(run: Run, url: string): string {
  const body = JSON.stringify(submission(run)).replace(/'/g, "'\\''");
  return [
    `curl -X POST '${url}'`,
    `  -H "Authorization: token $JUPYTER_TOKEN"`,
    `  -H 'Content-Type: application/json'`,
    `  -d '${body}'`
  ].join(' \\\n');
}
