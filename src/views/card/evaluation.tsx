/** A small ROC and confusion matrix, when the run logged them. */
import type { JSX } from 'react';
import type { Chart } from '../../api/types';
import { type IMiniCurve, MiniConfusion, MiniRoc } from '../../charts/mini';
import type { StudioModel } from '../../models/studio';
import { formatNumber, useResource } from '../common';

const MAX_CLASSES = 12;

export function CardEvaluation({
  studio,
  runId
}: {
  studio: StudioModel;
  runId: string;
}): JSX.Element | null {
  const charts = useResource(studio.charts(runId)).value ?? [];
  const curves = rocCurves(charts.find(one => one.schema_type === 'roc_curve'));
  const confusion = confusionOf(charts.find(one => one.schema_type === 'confusion_matrix'));
  if (curves.length === 0 && !confusion) {
    return null;
  }
  const first = curves[0];
  return (
    <div className="jp-mls-Card-evaluation">
      {first && (
        <figure>
          <MiniRoc curves={curves} size={64} />
          <figcaption>AUC {formatNumber(first.auc)}</figcaption>
        </figure>
      )}
      {confusion && (
        <figure>
          <MiniConfusion {...confusion} size={64} />
          <figcaption>confusion</figcaption>
        </figure>
      )}
    </div>
  );
}

/** Reads ROC curves from a chart's data, which user code logged and so may be anything. */
export function rocCurves(chart: Chart | undefined): IMiniCurve[] {
  const curves = Array.isArray(chart?.data['curves']) ? (chart.data['curves'] as unknown[]) : [];
  return curves.flatMap(one => {
    const { label, fpr, tpr, auc } = (typeof one === 'object' && one !== null ? one : {}) as Record<
      string,
      unknown
    >;
    return numbers(fpr) && numbers(tpr)
      ? [{ label: String(label ?? ''), fpr, tpr, auc: Number(auc ?? NaN) }]
      : [];
  });
}

/** Reads a confusion matrix that is square and small enough to be seen. */
export function confusionOf(chart: Chart | undefined): { labels: string[]; matrix: number[][] } | null {
  const matrix = chart?.data['matrix'];
  const labels = chart?.data['class_labels'];
  if (!Array.isArray(matrix) || matrix.length === 0 || matrix.length > MAX_CLASSES) {
    return null;
  }
  const square = matrix.every(row => numbers(row) && row.length === matrix.length);
  return square
    ? { labels: Array.isArray(labels) ? labels.map(String) : [], matrix: matrix as number[][] }
    : null;
}

function numbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(one => typeof one === 'number');
}
