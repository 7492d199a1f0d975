import { useEffect, useMemo, useRef, useState } from 'react';
import type { SeriesPart } from '../../../api/client';
import type { MetricSeries } from '../../../api/types';
import type { IZoom } from '../../../charts/plotlybox';
import { FinerPoints, refined } from '../../../models/finer';
import type { StudioModel } from '../../../models/studio';
import { type ICurve, type ICurveOptions, partOf } from './curves';

interface IFiner {
  part: SeriesPart;
  series: ReadonlyMap<string, MetricSeries>;
}

/** Draws a zoomed part of curves whose points were thinned out with finer points; the whole is back with the zoom's end. */
export function useFiner(
  studio: StudioModel,
  runId: string,
  whole: readonly ICurve[],
  options: ICurveOptions
): [readonly ICurve[], (zoom: IZoom | null) => void] {
  const [finer, setFiner] = useState<IFiner | null>(null);
  const points = useMemo(
    () =>
      new FinerPoints(studio.client, runId, (series, part) =>
        setFiner({ part, series: new Map(series.map(one => [one.name, one])) })
      ),
    [studio, runId]
  );
  useEffect(() => {
    setFiner(null);
    return () => points.cancel();
  }, [points, options.x]);
  const latest = useRef({ whole, options });
  latest.current = { whole, options };
  const onZoom = useMemo(
    () =>
      (zoom: IZoom | null): void => {
        const { whole, options } = latest.current;
        const thinned = whole.filter(curve => curve.points.sampled).map(curve => curve.points.name);
        if (zoom === null) {
          points.cancel();
          setFiner(null);
          return;
        }
        const part = partOf(whole, options, zoom.x);
        if (part && thinned.length > 0) {
          points.ask(thinned, part);
        }
      },
    [points]
  );
  const curves = useMemo(
    () =>
      finer === null
        ? whole
        : whole.map(curve => {
            const found = finer.series.get(curve.points.name);
            return found ? { ...curve, points: refined(curve.points, found, finer.part) } : curve;
          }),
    [whole, finer]
  );
  return [curves, onZoom];
}
