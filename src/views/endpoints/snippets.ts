/** The request that the form stands for, as code to paste elsewhere. The key is a placeholder, never the key. */

import { shellQuote } from '../models/shell';
import type { InferenceRequest } from '../models/tensors';
import { PIN_HEADER } from './pins';

const KEY_VARIABLE = 'MLSTUDIO_KEY';

/** Writes a JSON value as a Python literal. */
export function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(pythonLiteral).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const items = Object.entries(value).map(([key, item]) => `${pythonLiteral(key)}: ${pythonLiteral(item)}`);
    return `{${items.join(', ')}}`;
  }
  // JSON's escapes of a string are a subset of Python's, and its numbers read the same there.
  return JSON.stringify(value);
}

/** The request for curl; the key is taken from the environment, `pinned` names the one deployment that is asked. */
export function curlSnippet(url: string, request: InferenceRequest, pinned = ''): string {
  return [
    `curl -sS ${shellQuote(url)} \\`,
    `  -H "Authorization: Bearer $${KEY_VARIABLE}" \\`,
    "  -H 'Content-Type: application/json' \\",
    ...(pinned === '' ? [] : [`  -H ${shellQuote(`${PIN_HEADER}: ${pinned}`)} \\`]),
    `  -d ${shellQuote(JSON.stringify(request))}`
  ].join('\n');
}

/** The request for Python's standard library. */
export function pythonSnippet(url: string, request: InferenceRequest, pinned = ''): string {
  const others = Object.entries(request).filter(([key]) => key !== 'inputs');
  const tensors = request.inputs.map(tensor => `        ${pythonLiteral(tensor)},`);
  return [
    'import json',
    'import os',
    'import urllib.request',
    '',
    'body = {',
    '    "inputs": [',
    ...tensors,
    '    ],',
    ...others.map(([key, value]) => `    ${pythonLiteral(key)}: ${pythonLiteral(value)},`),
    '}',
    'request = urllib.request.Request(',
    `    ${pythonLiteral(url)},`,
    '    data=json.dumps(body).encode(),',
    '    headers={',
    `        "Authorization": "Bearer " + os.environ["${KEY_VARIABLE}"],`,
    '        "Content-Type": "application/json",',
    ...(pinned === '' ? [] : [`        "${PIN_HEADER}": ${pythonLiteral(pinned)},`]),
    '    },',
    ')',
    'with urllib.request.urlopen(request) as answer:',
    '    for output in json.load(answer)["outputs"]:',
    '        print(output["name"], output["shape"], output["data"])'
  ].join('\n');
}
