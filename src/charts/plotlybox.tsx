import type { JSX } from 'react';
import { createContext, useCallback, useContext, useEffect, useRef, useState } from 'react';

import type { IPlotly, IPlotlyFigure, IPlotlyNode } from './plotly';
import { loadPlotly, PLOTLY_CONFIG } from './plotly';
import type { IFigureSize } from './figure';

/** Where charts get plotly from: the lazy chunk, or what a test puts here. */
export const PlotlyLoader = createContext<() => Promise<IPlotly>>(loadPlotly);

/** The visible part of a chart's axes. */
export interface IZoom {
  x: [number, number];
}

export interface IPlotlyBoxProps {
  /** Makes the figure for a size; a new function is a new figure. */
  figure: (size: IFigureSize) => IPlotlyFigure;
  height: number;
  onPoint?: (trace: number, point: number) => void;
  /** Told which point is under the pointer, null when none is any more. */
  onHover?: (trace: number | null, point: number) => void;
  /** Told after each drawing, with the drawn element. */
  onDrawn?: (node: IPlotlyNode) => void;
  /** Told the new range after a zoom, null after a reset. */
  onZoom?: (zoom: IZoom | null) => void;
  /** Counted up to reset the zoom. */
  resets?: number;
}

/** Draws a figure with plotly, follows its size, and gives everything back when it goes. */
export function PlotlyBox(props: IPlotlyBoxProps): JSX.Element {
  const { figure, height, resets } = props;
  const node = useRef<HTMLDivElement>(null);
  const plotly = usePlotly();
  const width = useWidth(node);
  const handlers = useRef(props);
  handlers.current = props;
  const pressed = usePressed(node);
  const [failure, setFailure] = useState('');

  useEffect(() => {
    const element = node.current;
    if (!element || !plotly.library || width === 0 || pressed) {
      return;
    }
    const { data, layout } = figure({ width, height });
    plotly.library.react(element, data, layout, PLOTLY_CONFIG).then(
      () => {
        listen(element as unknown as IPlotlyNode, handlers);
        handlers.current.onDrawn?.(element as unknown as IPlotlyNode);
      },
      (reason: unknown) => setFailure(String(reason))
    );
  }, [figure, height, width, plotly.library, pressed]);

  useEffect(() => {
    const element = node.current;
    const library = plotly.library;
    return () => {
      if (element && library) {
        library.purge(element);
      }
    };
  }, [plotly.library]);

  useEffect(() => {
    if (resets && node.current && plotly.library) {
      void plotly.library.relayout(node.current, { 'xaxis.autorange': true, 'yaxis.autorange': true });
    }
  }, [resets, plotly.library]);

  const error = plotly.error || failure;
  return (
    <div className="jp-mls-Plot-frame" style={{ height }}>
      {error ? (
        <div className="jp-mls-Plot-message" role="alert">
          The chart could not be drawn: {error}{' '}
          <button type="button" className="jp-mls-LinkButton" onClick={plotly.retry}>
            Retry
          </button>
        </div>
      ) : (
        !plotly.library && <div className="jp-mls-Plot-message">Loading charts…</div>
      )}
      <div ref={node} className="jp-mls-Plot-canvas" aria-hidden="true" />
    </div>
  );
}

function listen(node: IPlotlyNode, handlers: { current: IPlotlyBoxProps }): void {
  for (const event of ['plotly_click', 'plotly_relayout', 'plotly_hover', 'plotly_unhover']) {
    node.removeAllListeners(event);
  }
  node.on('plotly_click', detail => {
    const point = (detail as { points?: { curveNumber: number; pointNumber: number }[] }).points?.[0];
    if (point) {
      handlers.current.onPoint?.(point.curveNumber, point.pointNumber);
    }
  });
  node.on('plotly_hover', detail => {
    const point = (detail as { points?: { curveNumber: number; pointNumber: number }[] }).points?.[0];
    if (point) {
      handlers.current.onHover?.(point.curveNumber, point.pointNumber);
    }
  });
  node.on('plotly_unhover', () => handlers.current.onHover?.(null, 0));
  node.on('plotly_relayout', detail => {
    handlers.current.onDrawn?.(node);
    const change = detail as Record<string, unknown>;
    const low = change['xaxis.range[0]'];
    const high = change['xaxis.range[1]'];
    if (typeof low === 'number' && typeof high === 'number') {
      handlers.current.onZoom?.({ x: [low, high] });
    } else if (change['xaxis.autorange'] || 'yaxis.range[0]' in change) {
      handlers.current.onZoom?.(change['xaxis.autorange'] ? null : { x: [-Infinity, Infinity] });
    }
  });
}

function usePlotly(): { library: IPlotly | null; error: string; retry: () => void } {
  const load = useContext(PlotlyLoader);
  const [library, setLibrary] = useState<IPlotly | null>(null);
  const [error, setError] = useState('');
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let alive = true;
    load().then(
      found => alive && setLibrary(found),
      (reason: unknown) => alive && setError(String(reason))
    );
    return () => {
      alive = false;
    };
  }, [load, tries]);
  const retry = useCallback(() => {
    setError('');
    setTries(count => count + 1);
  }, []);
  return { library, error, retry };
}

function useWidth(node: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = node.current;
    if (!element) {
      return;
    }
    setWidth(Math.floor(element.clientWidth));
    const observer = new ResizeObserver(() => {
      const now = Math.floor(element.clientWidth);
      if (now > 0) {
        setWidth(now);
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [node]);
  return width;
}

/** Whether a pointer is held down on the chart: a redraw would break off the drag that selects what to zoom to. */
function usePressed(node: { current: HTMLElement | null }): boolean {
  const [pressed, setPressed] = useState(false);
  useEffect(() => {
    const element = node.current;
    const down = (): void => setPressed(true);
    const up = (): void => setPressed(false);
    element?.addEventListener('pointerdown', down, true);
    window.addEventListener('pointerup', up);
    window.addEventListener('pointercancel', up);
    return () => {
      element?.removeEventListener('pointerdown', down, true);
      window.removeEventListener('pointerup', up);
      window.removeEventListener('pointercancel', up);
    };
  }, [node]);
  return pressed;
}
