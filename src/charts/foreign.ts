/** Makes a plotly figure that user code logged safe to draw: nothing is fetched, and no text becomes a link. */
import type { IPlotlyFigure, PlotlyObject } from './plotly';

/** What the bundle draws; other trace types are named in a message instead of being drawn wrongly. */
const DRAWN: ReadonlySet<string> = new Set([
  'scatter',
  'bar',
  'pie',
  'box',
  'violin',
  'histogram',
  'histogram2d',
  'histogram2dcontour',
  'heatmap',
  'contour'
]);

/** The markup that plotly's texts may keep: no attributes, so no links, styles or addresses. */
const OTHER_MARKUP = /<(?!\/?(?:b|i|em|strong|sub|sup|br|s|u)\s*\/?>)/gi;
const FETCHING_KEY = /source|image|url|href|src$|topojson|mapbox|^map$|tiles/i;
const MAX_DEPTH = 40;

export interface IForeignFigure {
  figure: IPlotlyFigure;
  /** Trace types that cannot be drawn here. */
  undrawn: string[];
  /** How many values were left out because drawing them would fetch something. */
  removed: number;
}

class Cleaner {
  removed = 0;

  clean(value: unknown, depth = 0): unknown {
    if (depth > MAX_DEPTH) {
      this.removed += 1;
      return null;
    }
    if (typeof value === 'string') {
      return value.replace(OTHER_MARKUP, '&lt;').replace(/\$/g, '&#36;');
    }
    if (Array.isArray(value)) {
      return value.map(one => this.clean(one, depth + 1));
    }
    return typeof value === 'object' && value !== null ? this.object(value as PlotlyObject, depth) : value;
  }

  private object(value: PlotlyObject, depth: number): PlotlyObject {
    const kept: PlotlyObject = {};
    for (const [key, one] of Object.entries(value)) {
      if (key === '__proto__' || (FETCHING_KEY.test(key) && !inline(one))) {
        this.removed += 1;
      } else {
        kept[key] = this.clean(one, depth + 1);
      }
    }
    return kept;
  }
}

/** Whether a value under a key that may name a source fetches nothing: numbers, flags and data URLs of pictures. */
function inline(value: unknown): boolean {
  if (typeof value === 'string') {
    return /^data:image\/(png|jpeg|gif|webp);base64,/i.test(value);
  }
  return typeof value !== 'object' || value === null;
}

function listOf(value: unknown): PlotlyObject[] {
  return Array.isArray(value)
    ? value.filter((one): one is PlotlyObject => typeof one === 'object' && one !== null)
    : [];
}

/** Reads a figure's JSON (``{"data": [...], "layout": {...}}``). */
export function foreignFigure(source: PlotlyObject): IForeignFigure {
  const cleaner = new Cleaner();
  const data = listOf(cleaner.clean(listOf(source['data'])));
  const layout = cleaner.clean(
    typeof source['layout'] === 'object' ? (source['layout'] ?? {}) : {}
  ) as PlotlyObject;
  const types = data.map(trace => String(trace['type'] ?? 'scatter'));
  const undrawn = [...new Set(types.filter(type => !DRAWN.has(type)))];
  const drawn = data.filter((_, index) => DRAWN.has(types[index]!));
  return { figure: { data: drawn, layout }, undrawn, removed: cleaner.removed };
}
