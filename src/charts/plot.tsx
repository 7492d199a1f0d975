import type { JSX, ReactNode } from 'react';
import { useCallback, useId, useMemo, useState } from 'react';

import { DataTable } from './datatable';
import { figureOf } from './figure';
import type { IFigureSize } from './figure';
import type { IPlotlyFigure } from './plotly';
import type { IZoom } from './plotlybox';
import { PlotlyBox } from './plotlybox';
import { saveCsv, saveImage } from './save';
import type { IChartSpec } from './spec';
import { shortened, visible } from '../text';
import { notFiniteText, summaryOf, tableOf } from './text';
import { useTheme } from './theme';
import { LIVE_REDRAW_MS, useThrottled } from './throttle';
import { SaveMenu, TableButton } from './tools';

export interface IPlotProps {
  spec: IChartSpec;
  height?: number;
  /** Least time between redraws: the default suits live data, a slider asks for less. */
  redrawMs?: number;
  /** More controls at the right of the title. */
  controls?: ReactNode;
  /** A line beneath the title, e.g. that points were thinned out. */
  note?: string;
  onPoint?: (series: number, point: number) => void;
  onZoom?: (zoom: IZoom | null) => void;
}

/** A chart with its title, its data as a table, its text for screen readers, and its ways out (PNG, SVG, CSV). */
export function Plot(props: IPlotProps): JSX.Element {
  const { height = 260, redrawMs = LIVE_REDRAW_MS } = props;
  const spec = useThrottled(props.spec, redrawMs);
  const theme = useTheme();
  const [asTable, setAsTable] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const [resets, setResets] = useState(0);
  const titleId = useId();
  const figure = useCallback(
    (size: IFigureSize): IPlotlyFigure => figureOf(spec, theme, size),
    [spec, theme]
  );
  const onZoom = (zoom: IZoom | null): void => {
    setZoomed(zoom !== null);
    props.onZoom?.(zoom);
  };
  const summary = useMemo(() => summaryOf(spec), [spec]);
  const note = visible([props.note, gapNote(spec)].filter(Boolean).join(' · '));
  return (
    <figure className="jp-mls-Plot" aria-labelledby={titleId}>
      <figcaption className="jp-mls-Plot-head">
        <span id={titleId} className="jp-mls-Plot-title" title={shortened(visible(spec.title))}>
          {shortened(visible(spec.title))}
        </span>
        {note && (
          <span className="jp-mls-Plot-note" title={shortened(note, 300)}>
            {shortened(note, 120)}
          </span>
        )}
        <span className="jp-mls-Plot-tools">
          {props.controls}
          {zoomed && !asTable && (
            <button type="button" onClick={() => setResets(resets + 1)}>
              Reset zoom
            </button>
          )}
          <TableButton pressed={asTable} onChange={setAsTable} />
          <SaveMenu
            title={spec.title}
            image={(plotly, format) => saveImage(plotly, spec, theme, format)}
            table={() => saveCsv(tableOf(spec), spec.title)}
          />
        </span>
      </figcaption>
      <p className="jp-mls-Plot-summary">{summary}</p>
      {asTable ? (
        <DataTable table={tableOf(spec)} label={`Numbers of ${spec.title}`} height={height} />
      ) : (
        <PlotlyBox
          figure={figure}
          height={height}
          onPoint={pointOf(spec, props.onPoint)}
          onZoom={onZoom}
          resets={resets}
        />
      )}
    </figure>
  );
}

/** Translates plotly's trace number to ours: interval bands come first and take two traces each. */
function pointOf(spec: IChartSpec, onPoint: IPlotProps['onPoint']): IPlotProps['onPoint'] {
  const bands = spec.series.filter(series => series.band).length * 2;
  return (trace, point) => {
    if (trace >= bands && trace - bands < spec.series.length) {
      onPoint?.(trace - bands, point);
    }
  };
}

function gapNote(spec: IChartSpec): string {
  const gaps = spec.series.reduce((sum, series) => sum + (series.faint ? 0 : (series.notFinite ?? 0)), 0);
  return gaps ? notFiniteText(gaps) : '';
}
