/** The geometry of parallel coordinates: where each trial crosses each axis, and which trials the ranges choose. */
import { formatNumber } from '../common/format';
import { thinned } from './numbers';
import { type ParamAxis, type Study, valueOf } from './study';
import type { Trial } from '../../api/types';

/** One axis; places are 0 (bottom) to 1 (top). */
export interface Lane {
  key: string;
  name: string;
  objective: boolean;
  place: (trial: Trial) => number | null;
  /** The number at a place. */
  value: (place: number) => number;
  ticks: { place: number; text: string }[];
}

/** Ranges that were drawn on axes, by the lane's key. */
export type Brushes = Readonly<Record<string, readonly [number, number]>>;

export interface Line {
  trial: number;
  places: readonly (number | null)[];
}

const WORDS = 12;

function numberLane(
  key: string,
  name: string,
  objective: boolean,
  log: boolean,
  at: (trial: Trial) => number | null,
  trials: readonly Trial[]
): Lane {
  const project = (value: number): number => (log ? Math.log10(value) : value);
  let [low, high] = [Infinity, -Infinity];
  for (const trial of trials) {
    const value = at(trial);
    if (value !== null) {
      low = Math.min(low, project(value));
      high = Math.max(high, project(value));
    }
  }
  if (low > high) {
    [low, high] = [0, 1];
  }
  const span = high - low;
  const value = (place: number): number => (log ? 10 ** (low + place * span) : low + place * span);
  return {
    key,
    name,
    objective,
    value,
    place: trial => {
      const one = at(trial);
      return one === null ? null : span === 0 ? 0.5 : (project(one) - low) / span;
    },
    ticks: (span === 0 ? [0.5] : [0, 0.5, 1]).map(place => ({
      place,
      text: formatNumber(span === 0 ? value(0) : value(place))
    }))
  };
}

function wordLane(key: string, axis: ParamAxis, words: readonly string[]): Lane {
  const last = words.length - 1;
  const place = (at: number): number => (last === 0 ? 0.5 : at / last);
  const every = Math.max(1, Math.ceil(words.length / WORDS));
  return {
    key,
    name: axis.name,
    objective: false,
    value: at => at * last,
    place: trial => {
      const at = axis.at(trial);
      return at === null ? null : place(at);
    },
    ticks: words.map((text, at) => ({ place: place(at), text })).filter((_, at) => at % every === 0)
  };
}

/** Most axes that fit beside one another. */
const LANES = 16;

/** Parameters from the left, objectives at the right. */
export function lanesOf(study: Study): Lane[] {
  const objectives = study.objectives.slice(0, 4);
  return [
    ...study.params
      .slice(0, LANES - objectives.length)
      .map(axis =>
        axis.words
          ? wordLane(`p ${axis.name}`, axis, axis.words)
          : numberLane(`p ${axis.name}`, axis.name, false, axis.log, axis.at, study.complete)
      ),
    ...objectives.map((objective, k) =>
      numberLane(`o ${k}`, objective.primary_metric, true, false, trial => valueOf(trial, k), study.complete)
    )
  ];
}

export function linesOf(study: Study, lanes: readonly Lane[]): Line[] {
  return study.complete.map(trial => ({
    trial: trial.number,
    places: lanes.map(lane => lane.place(trial))
  }));
}

/** Trials that lie in every range; null when no range is drawn. */
export function brushed(study: Study, lanes: readonly Lane[], brushes: Brushes): ReadonlySet<number> | null {
  const ranges = lanes.filter(lane => brushes[lane.key] !== undefined);
  if (ranges.length === 0) {
    return null;
  }
  return new Set(
    study.complete
      .filter(trial =>
        ranges.every(lane => {
          const place = lane.place(trial);
          const [low, high] = brushes[lane.key]!;
          return place !== null && place >= low - 1e-9 && place <= high + 1e-9;
        })
      )
      .map(trial => trial.number)
  );
}

/** More lines than this cover one another, and take long to draw. */
export const LINES = 1500;

/** The lines that are drawn: of many a third of the room for the best, the rest evenly among the others. */
export function drawnLines(
  lines: readonly Line[],
  good: ReadonlyMap<number, number>,
  chosen: ReadonlySet<number> | null
): readonly Line[] {
  const wanted = chosen ? lines.filter(line => chosen.has(line.trial)) : lines;
  if (wanted.length <= LINES) {
    const others = chosen ? lines.filter(line => !chosen.has(line.trial)) : [];
    return [...thin(others, LINES / 3), ...wanted];
  }
  const sorted = [...wanted].sort((a, b) => (good.get(b.trial) ?? 0) - (good.get(a.trial) ?? 0));
  return [...sorted.slice(0, LINES / 3), ...thin(sorted.slice(LINES / 3), (2 * LINES) / 3)];
}

function thin(lines: readonly Line[], count: number): Line[] {
  return thinned(lines.length, count).map(at => lines[at]!);
}

export interface Group {
  lines: Line[];
  good: number;
  faint: boolean;
  best: boolean;
}

const SHADES = 8;

/** Lines by their strength, the weakest first, the best last; those that no range chooses are faint. */
export function shadesOf(
  lines: readonly Line[],
  good: ReadonlyMap<number, number>,
  chosen: ReadonlySet<number> | null,
  best: number | null
): Group[] {
  const faint: Group = { lines: [], good: 0, faint: true, best: false };
  const top: Group = { lines: [], good: 1, faint: false, best: true };
  const groups = Array.from({ length: SHADES }, (_, at): Group => ({
    lines: [],
    good: at / (SHADES - 1),
    faint: false,
    best: false
  }));
  for (const line of lines) {
    if (chosen && !chosen.has(line.trial)) {
      faint.lines.push(line);
    } else if (line.trial === best) {
      top.lines.push(line);
    } else {
      groups[Math.min(SHADES - 1, Math.floor((good.get(line.trial) ?? 0) * SHADES))]!.lines.push(line);
    }
  }
  return [faint, ...groups, top].filter(group => group.lines.length > 0);
}

/** The trial whose line passes nearest to a point (x in lanes, y as a place), if one is as near as `reach`. */
export function nearestLine(lines: readonly Line[], x: number, y: number, reach: number): number | null {
  const left = Math.floor(x);
  const part = x - left;
  let found: number | null = null;
  let nearest = reach;
  for (const line of lines) {
    const [a, b] = [line.places[left] ?? null, line.places[left + 1] ?? null];
    const at = a !== null && b !== null ? a + part * (b - a) : part < 0.1 ? a : part > 0.9 ? b : null;
    if (at !== null && Math.abs(at - y) < nearest) {
      nearest = Math.abs(at - y);
      found = line.trial;
    }
  }
  return found;
}
