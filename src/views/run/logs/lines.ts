/** The loaded part of a log as lines that can be drawn one by one. */
import type { IPiece, IStyle } from './ansi';
import { overwrite, piecesOf, PLAIN } from './ansi';

/** A line longer than this is cut, with a mark: one line of 100 MB must not stop the page. */
export const LINE_LIMIT = 4000;

export interface ILogLine {
  pieces: IPiece[];
  /** How many characters were cut off. */
  cut: number;
}

/**
 * Splits text into lines, oldest first.
 *
 * The search for carriage returns looks only at the end of a line that is too long, and so stays quick.
 */
export function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') {
    lines.pop();
  }
  return lines;
}

function visibleEnd(line: string): { shown: string; cut: number } {
  const last = line.replace(/\r$/, '').lastIndexOf('\r');
  // Only what was written after the last carriage returns can still be seen; look back far enough for those.
  const tail = last > LINE_LIMIT ? line.slice(line.lastIndexOf('\r', last - LINE_LIMIT) + 1) : line;
  const whole = tail.length > 20 * LINE_LIMIT ? tail.slice(0, 20 * LINE_LIMIT) : tail;
  const drawn = overwrite(whole);
  const cut = Math.max(0, drawn.length - LINE_LIMIT) + (tail.length - whole.length);
  return { shown: cut ? drawn.slice(0, LINE_LIMIT) : drawn, cut };
}

/** Turns lines into styled pieces; a colour goes on until it is taken back, as in a terminal. */
export function drawLines(
  lines: readonly string[],
  from: IStyle = PLAIN
): { lines: ILogLine[]; style: IStyle } {
  let style = from;
  const drawn = lines.map(line => {
    const { shown, cut } = visibleEnd(line);
    const styled = piecesOf(shown, style);
    style = styled.style;
    return { pieces: styled.pieces, cut };
  });
  return { lines: drawn, style };
}

/** A drawn line as plain text. */
export function plainText(line: ILogLine): string {
  return line.pieces.map(piece => piece.text).join('');
}

/** The numbers of the lines that contain a text, whatever its case. */
export function findLines(lines: readonly ILogLine[], wanted: string): number[] {
  const needle = wanted.toLowerCase();
  return needle
    ? lines.flatMap((line, index) => (plainText(line).toLowerCase().includes(needle) ? [index] : []))
    : [];
}
