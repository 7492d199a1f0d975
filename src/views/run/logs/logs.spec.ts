import { describe, expect, it } from 'vitest';

import { overwrite, piecesOf, PLAIN } from './ansi';
import { CHUNK_LINES, growBlocks, NO_BLOCKS } from './chunks';
import { drawLines, findLines, LINE_LIMIT, plainText, splitLines } from './lines';

function shown(line: string): string {
  return piecesOf(line, PLAIN)
    .pieces.map(piece =>
      piece.classes ? `[${piece.classes.replace(/jp-mls-ansi-/g, '')}:${piece.text}]` : piece.text
    )
    .join('');
}

describe('terminal colours', () => {
  it('become classes of a closed set', () => {
    expect(shown('a \u001b[1;31mred\u001b[0m b')).toBe('a [red bold:red] b');
    expect(shown('\u001b[92;44mx\u001b[39;49my')).toBe('[bright-green on-blue:x]y');
  });

  it('of 256 and of 24 bits become the nearest of the sixteen', () => {
    expect(shown('\u001b[38;5;196mhot\u001b[0m')).toBe('[bright-red:hot]');
    expect(shown('\u001b[48;2;0;0;120mdeep\u001b[0m')).toBe('[on-blue:deep]');
  });

  it('go on to the next line until they are taken back', () => {
    const { lines } = drawLines(['\u001b[33mwarn', 'still', '\u001b[mover']);
    expect(lines.map(line => line.pieces[0]!.classes)).toEqual([
      'jp-mls-ansi-yellow',
      'jp-mls-ansi-yellow',
      ''
    ]);
  });

  it('swap when inverted', () => {
    expect(shown('\u001b[7;31mx')).toBe('[ground on-red:x]');
  });
});

describe('what a terminal would obey', () => {
  it('makes no links and no titles', () => {
    expect(shown('\u001b]8;;http://evil.example\u0007click\u001b]8;;\u0007 me')).toBe('click me');
    expect(shown('\u001b]0;owned\u0007text')).toBe('text');
    expect(shown('\u001b]0;never closed')).toBe('');
  });

  it('moves no cursor and clears no screen', () => {
    expect(shown('a\u001b[2Jb\u001b[10;10Hc\u001b[?25ld\u001bMe')).toBe('abcde');
  });

  it('shows other control characters as what they are', () => {
    expect(shown('bell\u0007 back\u0008 end')).toBe('bell\u2e2207\u2e25 back\u2e2208\u2e25 end');
  });

  it('leaves markup as text', () => {
    expect(shown('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  });
});

describe('carriage returns', () => {
  it('show the last state of a progress bar', () => {
    expect(overwrite(' 10%\r 50%\r100%')).toBe('100%');
    expect(overwrite('windows line\r')).toBe('windows line');
  });

  it('cover only as much as the later text is long', () => {
    expect(overwrite('abcdef\rXY')).toBe('XYcdef');
    expect(overwrite('abcdef\r')).toBe('abcdef');
  });
});

describe('a line of 100 MB', () => {
  it('is cut with a mark, and quickly', () => {
    const before = performance.now();
    const { lines } = drawLines(['x'.repeat(100_000_000)]);
    expect(plainText(lines[0]!)).toHaveLength(LINE_LIMIT);
    expect(lines[0]!.cut).toBe(100_000_000 - LINE_LIMIT);
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it('that is one long progress bar shows its last state', () => {
    const { lines } = drawLines([`${'12345\r'.repeat(200_000)}ready`]);
    expect(plainText(lines[0]!)).toBe('ready');
    expect(lines[0]!.cut).toBe(0);
  });
});

describe('a growing log', () => {
  const text = (count: number): string => Array.from({ length: count }, (_, i) => `line ${i}\n`).join('');

  it('keeps the blocks that are full', () => {
    const first = growBlocks(NO_BLOCKS, text(CHUNK_LINES * 2 + 10));
    const second = growBlocks(first, text(CHUNK_LINES * 2 + 20));
    expect(second.chunks).toHaveLength(3);
    expect(second.chunks[0]).toBe(first.chunks[0]);
    expect(second.chunks[1]).toBe(first.chunks[1]);
    expect(second.count).toBe(CHUNK_LINES * 2 + 20);
  });

  it('reads the same as when it is drawn at once', () => {
    let grown = NO_BLOCKS;
    const whole = `\u001b[31m${text(450)}\u001b[0mend of it`;
    for (let end = 0; end < whole.length + 700; end += 700) {
      grown = growBlocks(grown, whole.slice(0, end));
    }
    const once = growBlocks(NO_BLOCKS, whole);
    expect(grown.chunks.flatMap(chunk => chunk.lines)).toEqual(once.chunks.flatMap(chunk => chunk.lines));
  });

  it('is drawn anew when older text came before it', () => {
    const first = growBlocks(NO_BLOCKS, 'b\nc\n');
    const second = growBlocks(first, 'a\nb\nc\n');
    expect(second.chunks[0]!.lines.map(plainText)).toEqual(['a', 'b', 'c']);
    expect(second.chunks[0]!.id).not.toBe(first.chunks[0]!.id);
  });
});

describe('searching', () => {
  it('finds lines whatever their case and colours', () => {
    const { lines } = drawLines(splitLines('Epoch 1\n\u001b[31mEP\u001b[0moch 2\nother\n'));
    expect(findLines(lines, 'epoch')).toEqual([0, 1]);
    expect(findLines(lines, '')).toEqual([]);
  });
});
