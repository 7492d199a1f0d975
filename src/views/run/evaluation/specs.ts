/** Charts of an evaluation, as plain specs. */
import { colorOf, dashOf } from '../../../charts/palette';
import type { IChartSpec, IMark, ISeries } from '../../../charts/spec';
import { formatNumber } from '../../common';
import type { IMeasures } from './measures';
import type { CurveKind, IPredictions, IPrCurve, IResiduals, IRocCurve, ITruePredicted } from './read';

const AVERAGES: Record<CurveKind, string> = { class: '', micro: 'micro average', macro: 'macro average' };

/** The name of a curve as the class selector and the charts show it. */
export function curveName(curve: { label: string; kind: CurveKind }): string {
  return AVERAGES[curve.kind] || curve.label;
}

function styleOf(index: number, kind: CurveKind): Pick<ISeries, 'color' | 'dash'> {
  return {
    color: colorOf(index),
    dash: kind === 'class' ? dashOf(index) : kind === 'micro' ? 'dash' : 'dot'
  };
}

/** Curves that stand in the chart, each with its place in the whole list, which is its colour. */
export type Picked<C> = readonly (readonly [number, C])[];

export function rocSpec(curves: Picked<IRocCurve>, mark: IMark | null, title = 'ROC curve'): IChartSpec {
  return {
    title,
    x: { title: 'false positive rate', range: [-0.01, 1.01] },
    y: { title: 'true positive rate', range: [-0.01, 1.02] },
    square: true,
    series: curves.map(([index, curve]) => ({
      name: `${curveName(curve)} · AUC ${formatNumber(curve.auc)}`,
      x: curve.fpr,
      y: curve.tpr,
      texts: curve.thresholds.map((threshold, i) =>
        pointText(curve, threshold, curve.fpr[i], curve.tpr[i], 'FPR', 'TPR')
      ),
      ...styleOf(index, curve.kind)
    })),
    marks: mark ? [mark] : [],
    references: [{ from: [0, 0], to: [1, 1], text: 'chance' }]
  };
}

export function prSpec(curves: Picked<IPrCurve>, mark: IMark | null, baseline: number | null): IChartSpec {
  return {
    title: 'Precision-recall curve',
    x: { title: 'recall', range: [-0.01, 1.01] },
    y: { title: 'precision', range: [-0.01, 1.02] },
    square: true,
    series: curves.map(([index, curve]) => ({
      name: `${curveName(curve)} · AP ${formatNumber(curve.averagePrecision)}`,
      kind: 'line' as const,
      x: curve.recall,
      y: curve.precision,
      texts: curve.recall.map((recall, i) =>
        pointText(curve, curve.thresholds[i], recall, curve.precision[i], 'recall', 'precision')
      ),
      ...styleOf(index, curve.kind)
    })),
    marks: mark ? [mark] : [],
    references:
      baseline === null ? [] : [{ from: [0, baseline], to: [1, baseline], text: 'share of the class' }]
  };
}

function pointText(
  curve: { label: string; kind: CurveKind },
  threshold: number | undefined,
  x: number | undefined,
  y: number | undefined,
  xName: string,
  yName: string
): string {
  const at =
    threshold === undefined || Number.isNaN(threshold) ? '' : `, threshold ${formatNumber(threshold)}`;
  return `${curveName(curve)}: ${xName} ${formatNumber(x)}, ${yName} ${formatNumber(y)}${at}`;
}

/** Where the chosen threshold stands on the ROC chart. */
export function rocMark(measures: IMeasures, threshold: number, color: string): IMark | null {
  if (measures.fpr === null || measures.recall === null) {
    return null;
  }
  return { x: measures.fpr, y: measures.recall, text: `threshold ${formatNumber(threshold)}`, color };
}

/** Where it stands on the precision-recall chart; with nothing predicted, precision is 1 by convention, as in scikit-learn. */
export function prMark(measures: IMeasures, threshold: number, color: string): IMark | null {
  if (measures.recall === null) {
    return null;
  }
  return {
    x: measures.recall,
    y: measures.precision ?? 1,
    text: `threshold ${formatNumber(threshold)}`,
    color
  };
}

export function residualsSpec({ edges, counts }: IResiduals): IChartSpec {
  return {
    title: 'Residuals',
    x: { title: 'residual (predicted - true)' },
    y: { title: 'rows', fromZero: true },
    series: [
      {
        name: 'rows',
        kind: 'bars',
        x: counts.map((_, i) => (edges[i]! + edges[i + 1]!) / 2),
        y: counts,
        widths: counts.map((_, i) => edges[i + 1]! - edges[i]!),
        color: colorOf(0)
      }
    ]
  };
}

function span(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite);
  return [Math.min(...finite), Math.max(...finite)];
}

export function truePredictedSpec({ truth, predicted }: ITruePredicted): IChartSpec {
  const [low, high] = span([...truth, ...predicted]);
  return {
    title: 'Predicted against true',
    x: { title: 'true value' },
    y: { title: 'predicted value' },
    series: [
      {
        name: 'rows',
        kind: 'points',
        x: truth,
        y: predicted.map(value => (Number.isFinite(value) ? value : null)),
        color: colorOf(0)
      }
    ],
    references: [{ from: [low, low], to: [high, high], text: 'equal' }]
  };
}

/** Azure's ``predictions``: mean prediction in bins of the true value, with its spread as a band. */
export function predictionsSpec({ averages, errors, edges }: IPredictions): IChartSpec {
  const x = averages.map((_, i) => ((edges[i] ?? i) + (edges[i + 1] ?? edges[i] ?? i)) / 2);
  const [low, high] = span(x);
  const at = (i: number, sign: number): number | null => {
    const value = averages[i]! + sign * (errors[i] ?? 0);
    return Number.isFinite(value) ? value : null;
  };
  return {
    title: 'Mean prediction by true value',
    x: { title: 'true value' },
    y: { title: 'mean prediction' },
    series: [
      {
        name: 'mean prediction',
        x,
        y: averages.map((_, i) => at(i, 0)),
        band: { low: averages.map((_, i) => at(i, -1)), high: averages.map((_, i) => at(i, 1)) },
        color: colorOf(0)
      }
    ],
    references: [{ from: [low, low], to: [high, high], text: 'equal' }]
  };
}
