/** How numbers and names read on every floor, charts included. */
import { type Real, toNumber } from './api/types';

/** What stands where there is no value. */
export const MISSING = '-';

/** Four significant digits; integers in full; very large and very small numbers with an exponent. */
export function formatNumber(value: Real | null | undefined): string {
  if (value === null || value === undefined) {
    return MISSING;
  }
  const number = toNumber(value);
  if (Number.isNaN(number)) {
    return 'NaN';
  }
  if (!Number.isFinite(number)) {
    return number > 0 ? '∞' : '-∞';
  }
  const size = Math.abs(number);
  if (size >= 1e9 || (size > 0 && size < 1e-4)) {
    return number
      .toExponential(3)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  }
  if (Number.isInteger(number) || size >= 1e4) {
    return grouped(Math.round(number));
  }
  return String(Number(number.toPrecision(4)));
}

/** Integers with a thin space between thousands from five digits on. */
export function grouped(value: number): string {
  const text = String(value);
  return Math.abs(value) < 10_000 ? text : text.replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Control characters, marks that turn the direction of text, and characters without width. */
const HIDDEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** Makes characters visible that would hide or reorder the text of a name: `a\u202eb` reads `a[U+202E]b`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, character => {
    const code = character.charCodeAt(0);
    return code < 0x20
      ? String.fromCharCode(0x2400 + code)
      : `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
  });
}

/** Cuts a long text in the middle, so that beginning and end stay; never splits a character in two. */
export function shortened(text: string, length = 300): string {
  const characters = text.length > length ? Array.from(text) : undefined;
  if (!characters || characters.length <= length) {
    return text;
  }
  const half = Math.floor((length - 1) / 2);
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}
