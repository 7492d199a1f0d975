/** Keeps a growing log in blocks, so that a new line draws one block again and not the whole log. */
import type { IStyle } from './ansi';
import { PLAIN } from './ansi';
import type { ILogLine } from './lines';
import { drawLines, splitLines } from './lines';

export const CHUNK_LINES = 200;

export interface IChunk {
  id: number;
  /** The number of the block's first line within the loaded part, from 0. */
  first: number;
  lines: ILogLine[];
  /** Where the block begins in the text, and in which style. */
  start: number;
  style: IStyle;
}

export interface ILogBlocks {
  text: string;
  chunks: IChunk[];
  count: number;
}

export const NO_BLOCKS: ILogBlocks = { text: '', chunks: [], count: 0 };

/** Draws a text into blocks; what an earlier, shorter text has in common with it is kept as it is. */
export function growBlocks(old: ILogBlocks, text: string): ILogBlocks {
  if (text === old.text) {
    return old;
  }
  const last = old.chunks.at(-1);
  const grown = last !== undefined && text.startsWith(old.text);
  const kept = grown ? old.chunks.slice(0, -1) : [];
  const start = grown ? last.start : 0;
  const first = grown ? last.first : 0;
  const chunks = [
    ...kept,
    ...drawChunks(text, start, first, grown ? last.style : PLAIN, grown ? last.id : nextId(old))
  ];
  const end = chunks.at(-1);
  return { text, chunks, count: end ? end.first + end.lines.length : 0 };
}

function nextId(old: ILogBlocks): number {
  return (old.chunks.at(-1)?.id ?? 0) + 1;
}

function drawChunks(text: string, start: number, first: number, style: IStyle, id: number): IChunk[] {
  const lines = splitLines(text.slice(start));
  const chunks: IChunk[] = [];
  let offset = start;
  let now = style;
  for (let at = 0; at < lines.length; at += CHUNK_LINES) {
    const part = lines.slice(at, at + CHUNK_LINES);
    const drawn = drawLines(part, now);
    chunks.push({ id: id + chunks.length, first: first + at, lines: drawn.lines, start: offset, style: now });
    offset += part.reduce((sum, line) => sum + line.length + 1, 0);
    now = drawn.style;
  }
  return chunks;
}
