import { execFileSync } from 'node:child_process';

import { describe, expect, it } from 'vitest';

import { shellQuote } from '../models/shell';
import { curlSnippet, pythonLiteral, pythonSnippet } from './snippets';

const REQUEST = {
  inputs: [
    { name: "it's", shape: [2, 1], datatype: 'BYTES', data: ['$(touch /tmp/canary) `id` "\\', "O'Neill\n"] }
  ]
};

describe('snippets', () => {
  it('quotes for the shell so that it hands over the same text', () => {
    const nasty = `'"$(x)\`y\`\\ \n!*`;
    expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(nasty)}`]).toString()).toBe(nasty);
  });

  it('gives curl exactly the request', () => {
    const snippet = curlSnippet('http://127.0.0.1:1/v2/models/m/infer', REQUEST);
    const printed = execFileSync('sh', [
      '-c',
      snippet.replace(/^curl -sS/, 'curl() { for last; do :; done; printf %s "$last"; }; curl')
    ]);
    expect(JSON.parse(printed.toString())).toEqual(REQUEST);
    expect(snippet).not.toContain('mls_');
  });

  it('writes Python literals that Python reads as the same value', () => {
    const value = { a: [1, 2.5, true, false, null], ['quote"s']: "O'Neill\n\u2028\\" };
    const program = `import json; print(json.dumps(${pythonLiteral(value)}))`;
    expect(JSON.parse(execFileSync('python3', ['-c', program]).toString())).toEqual(value);
  });

  it('writes a Python program that compiles', () => {
    const program = pythonSnippet('http://127.0.0.1:1/v2/models/m/infer', REQUEST);
    execFileSync('python3', ['-c', 'import sys; compile(sys.stdin.read(), "snippet", "exec")'], {
      input: program
    });
    expect(program).toContain('os.environ["MLSTUDIO_KEY"]');
  });
});
