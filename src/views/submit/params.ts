/** Parameters as they are typed: `name = value` on lines of their own. */

/** A value as JSON where it is JSON (`0.1`, `true`, `[1, 2]`), Python's words for it, and text otherwise. */
export function readValue(text: string): unknown {
  const words: Record<string, unknown> = { True: true, False: false, None: null };
  if (text in words) {
    return words[text];
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const quoted = /^'(.*)'$/s.exec(text);
    return quoted ? quoted[1] : text;
  }
}

/** Reads the lines; `problem` says which one cannot be taken. */
export function readParams(text: string): { params: Record<string, unknown>; problem: string | undefined } {
  const params: Record<string, unknown> = {};
  const lines = text.split('\n').map(line => line.trim());
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) {
      continue;
    }
    const found = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
    const name = found?.[1]?.trim();
    if (!found || !name) {
      return { params, problem: `Line ${index + 1} is not name = value.` };
    }
    if (name in params) {
      return { params, problem: `Line ${index + 1} gives ${name} a second time.` };
    }
    params[name] = readValue(found[2] ?? '');
  }
  return { params, problem: undefined };
}

/** Splits arguments at spaces, keeping what stands in quotes together. */
export function splitArgs(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    found => found[1] ?? found[2] ?? found[3] ?? ''
  );
}
