/** Terminal output as styled pieces of text: colours only, everything else that a terminal obeys is left out. */

/** A piece of a line in one style; ``classes`` come from a closed set. */
export interface IPiece {
  text: string;
  classes: string;
}

/** Colours and weights that go on from one line to the next. */
export interface IStyle {
  fore: string;
  back: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
}

export const PLAIN: IStyle = {
  fore: '',
  back: '',
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false
};

const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/* eslint-disable no-control-regex */
/** Every control sequence of ECMA-48: CSI, OSC and other strings up to their end (or the line's), two-byte escapes. */

const SEQUENCE =
  /\u001b\[([0-9;:?<=>]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -/]*[0-~]|\u001b/g;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/* eslint-enable no-control-regex */

function colorName(code: number): string {
  return code < 8 ? COLORS[code]! : code < 16 ? `bright-${COLORS[code - 8]!}` : '';
}

/** The nearest of the sixteen named colours to one of the 256, so that classes stay a closed set. */
function nearestNamed(index: number): string {
  if (index < 16) {
    return colorName(index);
  }
  if (index >= 232) {
    return index < 238 ? 'black' : index < 244 ? 'bright-black' : index < 250 ? 'white' : 'bright-white';
  }
  const cube = index - 16;
  return ofRgb(Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51);
}

function ofRgb(red: number, green: number, blue: number): string {
  const most = Math.max(red, green, blue);
  if (most < 64) {
    return 'black';
  }
  const bit = (part: number, weight: number): number => (part > most * 0.6 ? weight : 0);
  const code = bit(red, 1) + bit(green, 2) + bit(blue, 4);
  return colorName(code + (most > 180 && code !== 7 ? 8 : 0));
}

/** Reads an extended colour (``5;n`` or ``2;r;g;b``) after 38 or 48; answers it and how many numbers it took. */
function extended(codes: number[], at: number): [string, number] {
  if (codes[at] === 5) {
    return [nearestNamed(codes[at + 1] ?? 0), 2];
  }
  return codes[at] === 2 ? [ofRgb(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4] : ['', 0];
}

const SWITCHES: Record<number, Partial<IStyle>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  39: { fore: '' },
  49: { back: '' }
};

/** Applies one "select graphic rendition" sequence (ECMA-48, 8.3.117). */
export function applySgr(style: IStyle, parameters: string): IStyle {
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map(Number);
  let next = style;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    const color = code % 10;
    if (code === 38 || code === 48) {
      const [name, taken] = extended(codes, i + 1);
      next = code === 38 ? { ...next, fore: name } : { ...next, back: name };
      i += taken;
    } else if (SWITCHES[code]) {
      next = { ...next, ...SWITCHES[code] };
    } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      next = { ...next, fore: colorName(color + (code >= 90 ? 8 : 0)) };
    } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
      next = { ...next, back: colorName(color + (code >= 100 ? 8 : 0)) };
    }
  }
  return next;
}

function classesOf(style: IStyle): string {
  const [fore, back] = style.inverse
    ? [style.back || 'ground', style.fore || 'text']
    : [style.fore, style.back];
  return [
    fore && `jp-mls-ansi-${fore}`,
    back && `jp-mls-ansi-on-${back}`,
    style.bold && 'jp-mls-ansi-bold',
    style.dim && 'jp-mls-ansi-dim',
    style.italic && 'jp-mls-ansi-italic',
    style.underline && 'jp-mls-ansi-underline'
  ]
    .filter(Boolean)
    .join(' ');
}

function plain(text: string): string {
  return text.replace(CONTROL, found => `\u2e22${found.charCodeAt(0).toString(16).padStart(2, '0')}\u2e25`);
}

/** What is left of a line after its carriage returns: a progress bar that was drawn over shows its last state. */
export function overwrite(line: string): string {
  const parts = line.replace(/\r+$/, '').split('\r');
  if (parts.length === 1) {
    return parts[0]!;
  }
  // A later part covers as much of an earlier one as it is long; with colours in it, it covers all.
  return parts.reduce((under, over) =>
    over === ''
      ? under
      : under.includes('\u001b') || over.includes('\u001b')
        ? over
        : over + under.slice(over.length)
  );
}

/** Splits a line into pieces; answers the style that the next line begins with. */
export function piecesOf(line: string, style: IStyle): { pieces: IPiece[]; style: IStyle } {
  const pieces: IPiece[] = [];
  let at = 0;
  let now = style;
  const add = (text: string): void => {
    if (text) {
      pieces.push({ text: plain(text), classes: classesOf(now) });
    }
  };
  for (const found of line.matchAll(SEQUENCE)) {
    add(line.slice(at, found.index));
    if (found[2] === 'm' && !/[?<=>]/.test(found[1] ?? '')) {
      now = applySgr(now, found[1] ?? '');
    }
    at = found.index + found[0].length;
  }
  add(line.slice(at));
  return { pieces, style: now };
}

/** A line without its control sequences, for searching. */
export function textOf(line: string): string {
  return line.replace(SEQUENCE, '');
}
