/** Parallel coordinates: an axis for each parameter and objective, a line for each trial, ranges drawn on the axes. */
import { type JSX, type PointerEvent, type ReactNode, useCallback, useMemo, useRef, useState } from 'react';
import { PlotlyBox } from '../../charts/plotlybox';
import type { IPlotlyFigure } from '../../charts/plotly';
import { useTheme } from '../../charts/theme';
import { formatNumber, grouped, plural, shortened, visible } from '../common';
import { goodness } from './figures';
import { useHovered } from './hovered';
import { BEST_COLOR, layoutLook, shade } from './look';
import {
  type Brushes,
  type Line,
  type Lane,
  LINES,
  brushed,
  drawnLines,
  lanesOf,
  linesOf,
  nearestLine,
  shadesOf
} from './lanes';
import { useInSight } from './sight';
import type { Study } from './study';

const HEIGHT = 300;
const TOP = 34;
const BOTTOM = 14;
const SIDE = 54;
const BRUSH_PX = 16;

export interface ParallelProps {
  study: Study;
  objective: number;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
  onOpen: (trial: number) => void;
  controls?: ReactNode;
}

/** A drag on an axis chooses a range of it, a click takes the range away. */
export function ParallelPlot(props: ParallelProps): JSX.Element {
  const { study, objective, brushes, onBrush, onOpen } = props;
  const [ref, inSight] = useInSight<HTMLElement>();
  const kept = useRef(study);
  if (inSight) {
    kept.current = study;
  }
  const shown = kept.current;
  const lanes = useMemo(() => lanesOf(shown), [shown]);
  const lines = useMemo(() => linesOf(shown, lanes), [shown, lanes]);
  const chosen = useMemo(() => brushed(shown, lanes, brushes), [shown, lanes, brushes]);
  const ranges = Object.keys(brushes).length;
  return (
    <figure className="jp-mls-Plot jp-mls-SweepPlot" ref={ref} aria-label="Parallel coordinates">
      <figcaption className="jp-mls-Plot-head">
        <span className="jp-mls-Plot-title">Parallel coordinates</span>
        <span className="jp-mls-Plot-note" role="status">
          {ranges > 0
            ? `${plural(chosen?.size ?? 0, 'trial')} chosen`
            : `drag along an axis to choose trials; stronger is better${
                lines.length > LINES ? `; ${grouped(LINES)} of ${grouped(lines.length)} are drawn` : ''
              }`}
        </span>
        <span className="jp-mls-Plot-tools">
          {props.controls}
          {ranges > 0 && (
            <button type="button" onClick={() => onBrush({})}>
              Choose all
            </button>
          )}
        </span>
      </figcaption>
      <p className="jp-mls-Plot-summary">
        {plural(lines.length, 'trial')} over {lanes.map(lane => visible(lane.name)).join(', ')}. The tab
        Trials has the same numbers as a table.
      </p>
      {inSight || lines.length > 0 ? (
        <Lanes
          study={shown}
          objective={objective}
          lanes={lanes}
          lines={lines}
          chosen={chosen}
          brushes={brushes}
          onBrush={onBrush}
          onOpen={onOpen}
        />
      ) : (
        <div style={{ height: HEIGHT }} />
      )}
    </figure>
  );
}

interface LanesProps extends Omit<ParallelProps, 'controls'> {
  lanes: readonly Lane[];
  lines: readonly Line[];
  chosen: ReadonlySet<number> | null;
}

function Lanes({
  study,
  objective,
  lanes,
  lines,
  chosen,
  brushes,
  onBrush,
  onOpen
}: LanesProps): JSX.Element {
  const theme = useTheme();
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useHovered();
  const good = useMemo(() => goodness(study, objective), [study, objective]);
  const figure = useCallback(
    ({ width: px }: { width: number }): IPlotlyFigure => {
      setWidth(px);
      const groups = shadesOf(drawnLines(lines, good, chosen), good, chosen, study.best);
      const data = groups.map(group => ({
        type: 'scatter',
        mode: 'lines',
        connectgaps: false,
        hoverinfo: 'skip',
        x: group.lines.flatMap(line => [...line.places.map((_, lane) => lane), null]),
        y: group.lines.flatMap(line => [...line.places, null]),
        opacity: group.faint ? 0.25 : lines.length > 400 ? 0.6 : 0.8,
        line: {
          color: group.best ? BEST_COLOR : group.faint ? theme.line : shade(group.good, theme),
          width: group.best ? 2.5 : group.faint ? 0.6 : lines.length > 800 ? 0.8 : 1.2,
          simplify: false
        }
      }));
      const layout = layoutLook(theme, {
        width: px,
        height: HEIGHT,
        margin: { l: SIDE, r: SIDE, t: TOP, b: BOTTOM },
        xaxis: { visible: false, range: [0, Math.max(1, lanes.length - 1)], fixedrange: true },
        yaxis: { visible: false, range: [0, 1], fixedrange: true },
        dragmode: false
      });
      return { data, layout };
    },
    [lines, lanes, good, chosen, study.best, theme]
  );
  const plot = { width: width - 2 * SIDE, height: HEIGHT - TOP - BOTTOM };
  const laneX = (lane: number): number => SIDE + (lane * plot.width) / Math.max(1, lanes.length - 1);
  const laneY = (place: number): number => TOP + (1 - place) * plot.height;
  const lit = hovered === null ? undefined : lines.find(line => line.trial === hovered);
  const over = (event: PointerEvent<SVGSVGElement>): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left - SIDE) / Math.max(1, plot.width)) * Math.max(1, lanes.length - 1);
    const y = 1 - (event.clientY - box.top - TOP) / plot.height;
    return nearestLine(chosen ? lines.filter(line => chosen.has(line.trial)) : lines, x, y, 0.03);
  };
  return (
    <div className="jp-mls-Lanes" style={{ height: HEIGHT }}>
      <PlotlyBox figure={figure} height={HEIGHT} />
      {width > 0 && (
        <svg
          width={width}
          height={HEIGHT}
          className="jp-mls-Lanes-over"
          onPointerMove={event => event.buttons === 0 && setHovered(over(event))}
          onPointerLeave={() => setHovered(null)}
          onClick={event => {
            const trial = over(event as unknown as PointerEvent<SVGSVGElement>);
            if (trial !== null) {
              onOpen(trial);
            }
          }}
        >
          {lit && <path d={pathOf(lit, laneX, laneY)} className="jp-mls-Lanes-lit" />}
          {lanes.map((lane, index) => (
            <LaneAxis
              key={lane.name + String(lane.objective)}
              lane={lane}
              x={laneX(index)}
              room={plot.width / Math.max(1, lanes.length - 1)}
              y={laneY}
              end={index === lanes.length - 1}
              range={brushes[lane.key]}
              onRange={range => {
                const others = Object.fromEntries(
                  Object.entries(brushes).filter(([key]) => key !== lane.key)
                );
                onBrush(range ? { ...others, [lane.key]: range } : others);
              }}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

function pathOf(line: Line, x: (lane: number) => number, y: (place: number) => number): string {
  let pen = 'M';
  return line.places
    .map((place, lane) => {
      const step = place === null ? '' : `${pen}${x(lane)},${y(place)}`;
      pen = place === null ? 'M' : 'L';
      return step;
    })
    .join('');
}

function LaneAxis({
  lane,
  x,
  room,
  y,
  end,
  range,
  onRange
}: {
  lane: Lane;
  x: number;
  room: number;
  y: (place: number) => number;
  end: boolean;
  range: readonly [number, number] | undefined;
  onRange: (range: [number, number] | null) => void;
}): JSX.Element {
  const from = useRef<number | null>(null);
  const at = (event: PointerEvent<SVGRectElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (event.clientY - box.top - 6) / (box.height - 12)));
  };
  const letters = Math.max(4, Math.min(18, Math.floor(room / 7)));
  return (
    <g transform={`translate(${x},0)`}>
      <line y1={y(1)} y2={y(0)} className="jp-mls-Parallel-axis" />
      <text y={14} textAnchor="middle" className="jp-mls-Parallel-name">
        <title>{visible(lane.name)}</title>
        {shortened(visible(lane.name), letters)}
      </text>
      {lane.ticks.map(tick => (
        <text
          key={tick.place}
          x={end ? 7 : -7}
          textAnchor={end ? 'start' : 'end'}
          y={y(tick.place) + 3}
          className="jp-mls-Parallel-tick"
        >
          {shortened(visible(tick.text), Math.max(4, Math.min(12, Math.floor(room / 9))))}
        </text>
      ))}
      {range && (
        <rect
          x={-BRUSH_PX / 2}
          width={BRUSH_PX}
          y={y(range[1])}
          height={Math.max(2, y(range[0]) - y(range[1]))}
          className="jp-mls-Lanes-brush"
        />
      )}
      <rect
        x={-BRUSH_PX / 2}
        width={BRUSH_PX}
        y={y(1) - 6}
        height={y(0) - y(1) + 12}
        className="jp-mls-Lanes-handle"
        role="slider"
        tabIndex={0}
        aria-label={`Range of ${visible(lane.name)}`}
        aria-orientation="vertical"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((range?.[0] ?? 0) * 100)}
        aria-valuetext={
          range ? `${formatNumber(lane.value(range[0]))} to ${formatNumber(lane.value(range[1]))}` : 'all'
        }
        onPointerDown={event => {
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = at(event);
        }}
        onPointerMove={event => {
          if (from.current !== null && Math.abs(at(event) - from.current) > 0.01) {
            const to = at(event);
            onRange([Math.min(from.current, to), Math.max(from.current, to)]);
          }
        }}
        onPointerUp={event => {
          if (from.current !== null && Math.abs(at(event) - from.current) <= 0.01) {
            onRange(null);
          }
          from.current = null;
        }}
        onClick={event => event.stopPropagation()}
        onKeyDown={event => keys(event, range, onRange)}
      />
    </g>
  );
}

/** With the keyboard: arrows move the lower end, with Shift the upper one, Escape takes the range away. */
function keys(
  event: { key: string; shiftKey: boolean; preventDefault: () => void },
  range: readonly [number, number] | undefined,
  onRange: (range: [number, number] | null) => void
): void {
  const step = { ArrowUp: 0.05, ArrowDown: -0.05 }[event.key];
  const [low, high] = range ?? [0, 1];
  if (event.key === 'Escape') {
    onRange(null);
  } else if (step !== undefined) {
    event.preventDefault();
    const clamp = (value: number): number => Math.min(1, Math.max(0, value));
    onRange(
      event.shiftKey ? [low, Math.max(low, clamp(high + step))] : [Math.min(high, clamp(low + step)), high]
    );
  }
}
