/**
 * Colours of series, in one fixed order, told apart with every kind of colour vision.
 *
 * The palette is Okabe and Ito's "Color Universal Design" (2008), ordered so that the first ones stand out on a light and
 * on a dark ground; its black is left out because it is the ground in the dark theme.
 */
export const PALETTE: readonly string[] = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#d55e00',
  '#cc79a7',
  '#56b4e9',
  '#b8a900'
];

const DASHES = ['solid', 'dash', 'dot', 'dashdot', 'longdash'] as const;

export type Dash = (typeof DASHES)[number];

/** The colour of the n-th series. */
export function colorOf(index: number): string {
  return PALETTE[index % PALETTE.length]!;
}

/** The line style of the n-th series: it changes when the colours begin again. */
export function dashOf(index: number): Dash {
  return DASHES[Math.floor(index / PALETTE.length) % DASHES.length]!;
}

/** A colour with an opacity, for bands and faint lines. */
export function tint(color: string, opacity: number): string {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (!found) {
    return color;
  }
  const [red, green, blue] = found.slice(1).map(part => parseInt(part, 16));
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}
