/** One plot of a sweep: drawn when it is in sight, marking the trial under the pointer wherever that is. */
import { type JSX, type ReactNode, useCallback, useId, useMemo, useRef, useState } from 'react';
import { DataTable } from '../../charts';
import type { IFigureSize } from '../../charts/figure';
import type { IPlotlyFigure, IPlotlyNode } from '../../charts/plotly';
import { PlotlyBox } from '../../charts/plotlybox';
import { saveCsv, saveFigure } from '../../charts/save';
import { type IChartTheme, useTheme } from '../../charts/theme';
import { SaveMenu, TableButton } from '../../charts/tools';
import { visible } from '../common';
import { type Place, type SweepFigure } from './figures';
import { useHovered } from './hovered';
import type { Study } from './study';
import { useInSight } from './sight';

/** As wide as a figure is made for a file. */
const SAVED_PX = 960;

export interface SweepPlotProps {
  title: string;
  study: Study;
  /** Makes the figure; a new function is a new figure. */
  make: (theme: IChartTheme, widthPx: number) => SweepFigure;
  height?: number;
  /** What is chosen for the plot, before its tools. */
  controls?: ReactNode;
  /** Opens a trial's run. */
  onOpen: (trial: number) => void;
  /** Stands instead of the plot when there is nothing to draw. */
  empty?: ReactNode;
}

export function SweepPlot(props: SweepPlotProps): JSX.Element {
  const { title, height = 260, empty } = props;
  const [ref, inSight] = useInSight<HTMLElement>();
  const theme = useTheme();
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  // Out of sight, the last figure stays as it was drawn.
  const shown = useRef(props.make);
  if (inSight) {
    shown.current = props.make;
  }
  const make = shown.current;
  const [drawn, setDrawn] = useState<SweepFigure | null>(null);
  const facts = useMemo(() => (asTable ? make(theme, 900) : drawn), [asTable, make, theme, drawn]);
  return (
    <figure className="jp-mls-Plot jp-mls-SweepPlot" ref={ref} aria-labelledby={id}>
      <figcaption className="jp-mls-Plot-head">
        <span id={id} className="jp-mls-Plot-title" title={visible(title)}>
          {visible(title)}
        </span>
        {facts?.note && <span className="jp-mls-Plot-note">{visible(facts.note)}</span>}
        <span className="jp-mls-Plot-tools">
          {props.controls}
          {!empty && (
            <>
              <TableButton pressed={asTable} onChange={setAsTable} />
              <SaveMenu
                title={title}
                image={(plotly, format) => saveFigure(plotly, make(theme, SAVED_PX), title, theme, format)}
                table={() => saveCsv(make(theme, SAVED_PX).table, title)}
              />
            </>
          )}
        </span>
      </figcaption>
      {facts && <p className="jp-mls-Plot-summary">{visible(facts.summary)}</p>}
      {empty ? (
        <div className="jp-mls-SweepPlot-empty" style={{ minHeight: Math.min(height, 120) }}>
          {empty}
        </div>
      ) : asTable && facts ? (
        <DataTable table={facts.table} label={`Numbers of ${title}`} height={height} />
      ) : inSight || facts ? (
        <Canvas {...props} make={make} theme={theme} height={height} onFigure={setDrawn} />
      ) : (
        <div style={{ height }} />
      )}
    </figure>
  );
}

interface CanvasProps extends SweepPlotProps {
  theme: IChartTheme;
  height: number;
  /** Told what was drawn. */
  onFigure: (figure: SweepFigure) => void;
}

function Canvas({ study, make, theme, height, onOpen, onFigure }: CanvasProps): JSX.Element {
  const [node, setNode] = useState<{ element: IPlotlyNode; drawn: number } | null>(null);
  const [hovered, setHovered] = useHovered();
  const figure = useRef<SweepFigure | null>(null);
  const build = useCallback(
    ({ width }: IFigureSize): IPlotlyFigure => {
      figure.current = make(theme, width);
      const { data, layout } = figure.current;
      return { data, layout: { ...layout, width, height, uirevision: 'kept' } };
    },
    [make, theme, height]
  );
  const drawn = useCallback(
    (element: IPlotlyNode) => {
      setNode(before => ({ element, drawn: (before?.drawn ?? 0) + 1 }));
      if (figure.current) {
        onFigure(figure.current);
      }
    },
    [onFigure]
  );
  const owner = (trace: number, point: number): number | undefined => figure.current?.owners[trace]?.[point];
  const trial = hovered === null ? undefined : study.byNumber.get(hovered);
  const marks = trial && node ? marked(node.element, figure.current?.places(trial) ?? []) : [];
  return (
    <div className="jp-mls-SweepPlot-box">
      <PlotlyBox
        figure={build}
        height={height}
        onDrawn={drawn}
        onHover={(trace, point) => setHovered(trace === null ? null : (owner(trace, point) ?? null))}
        onPoint={(trace, point) => {
          const found = owner(trace, point);
          if (found !== undefined) {
            onOpen(found);
          }
        }}
      />
      {marks.map(([left, top], index) => (
        <span key={index} className="jp-mls-SweepPlot-ring" style={{ left, top }} aria-hidden="true" />
      ))}
    </div>
  );
}

interface Axis {
  _offset: number;
  _length: number;
  d2p(value: number | string): number;
}

/** Where places lie on the drawn element, in pixels; those outside of what is shown are left out. */
function marked(element: IPlotlyNode, places: readonly Place[]): [left: number, top: number][] {
  const axes = (element as unknown as { _fullLayout?: Record<string, Axis | undefined> })._fullLayout;
  return places.flatMap((place): [number, number][] => {
    const x = axes?.[place.xaxis ?? 'xaxis'];
    const y = axes?.[place.yaxis ?? 'yaxis'];
    const [left, top] = [x?.d2p(place.x), y?.d2p(place.y)];
    return x && y && inside(left, x) && inside(top, y) ? [[x._offset + left, y._offset + top]] : [];
  });
}

function inside(value: number | undefined, axis: Axis): value is number {
  return value !== undefined && Number.isFinite(value) && value >= -1 && value <= axis._length + 1;
}
