/** Reads charts that user code logged: checks their form, and sorts them into evaluations. */
import type { Chart } from '../../../api/types';
import type { ICounts, IThresholdTable } from './measures';

export type CurveKind = 'class' | 'micro' | 'macro';

export interface IRocCurve {
  label: string;
  kind: CurveKind;
  fpr: number[];
  tpr: number[];
  thresholds: number[];
  auc: number;
}

export interface IPrCurve {
  label: string;
  kind: CurveKind;
  precision: number[];
  recall: number[];
  thresholds: number[];
  averagePrecision: number;
}

export interface IConfusion {
  labels: string[];
  matrix: number[][];
}

export interface IResiduals {
  edges: number[];
  counts: number[];
}

export interface IPredictions {
  averages: number[];
  errors: number[];
  counts: number[];
  edges: number[];
}

export interface ITruePredicted {
  truth: number[];
  predicted: number[];
}

/** The charts of one call of ``evaluate``; ``name`` is empty for the unnamed one. */
export interface IEvaluation {
  name: string;
  positiveLabel: string | null;
  roc: IRocCurve[];
  pr: IPrCurve[];
  thinned: boolean;
  confusion: IConfusion | null;
  tables: IThresholdTable[];
  residuals: IResiduals | null;
  predictions: IPredictions | null;
  truePredicted: ITruePredicted | null;
}

/** What does not belong to an evaluation: tables, figures, pictures, and what could not be read (with the reason). */
export interface IOtherChart {
  chart: Chart;
  problem: string;
}

export interface IReadCharts {
  evaluations: IEvaluation[];
  others: IOtherChart[];
}

type Data = Record<string, unknown>;

class Unreadable extends Error {}

function numbers(value: unknown, what: string): number[] {
  if (!Array.isArray(value)) {
    throw new Unreadable(`${what} is not a list`);
  }
  return value.map(one => {
    const read = typeof one === 'number' ? one : Number(one ?? NaN);
    return read;
  });
}

function texts(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) {
    throw new Unreadable(`${what} is not a list`);
  }
  return value.map(String);
}

function lists(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new Unreadable(`${what} is not a list`);
  }
  return value;
}

function kindOf(value: unknown): CurveKind {
  return value === 'micro' || value === 'macro' ? value : 'class';
}

function curvesOf(data: Data): Data[] {
  return lists(data['curves'], 'curves').map(one =>
    typeof one === 'object' && one !== null ? (one as Data) : {}
  );
}

function rocOf(data: Data): IRocCurve[] {
  return curvesOf(data).map(one => ({
    label: String(one['label'] ?? ''),
    kind: kindOf(one['kind']),
    fpr: numbers(one['fpr'], 'fpr'),
    tpr: numbers(one['tpr'], 'tpr'),
    thresholds: numbers(one['thresholds'] ?? [], 'thresholds'),
    auc: Number(one['auc'] ?? NaN)
  }));
}

function prOf(data: Data): IPrCurve[] {
  return curvesOf(data).map(one => ({
    label: String(one['label'] ?? ''),
    kind: kindOf(one['kind']),
    precision: numbers(one['precision'], 'precision'),
    recall: numbers(one['recall'], 'recall'),
    thresholds: numbers(one['thresholds'] ?? [], 'thresholds'),
    averagePrecision: Number(one['average_precision'] ?? NaN)
  }));
}

function confusionOf(data: Data): IConfusion {
  const labels = texts(data['class_labels'], 'class_labels');
  const matrix = lists(data['matrix'], 'matrix').map(row => numbers(row, 'a row of the matrix'));
  if (matrix.length !== labels.length || matrix.some(row => row.length !== labels.length)) {
    throw new Unreadable(`the matrix is not ${labels.length} by ${labels.length}, as its class labels say`);
  }
  return { labels, matrix };
}

function countsOf(row: unknown): ICounts {
  const [tp = NaN, fp = NaN, tn = NaN, fn = NaN] = numbers(row, 'a row of counts');
  return { tp, fp, tn, fn };
}

function tablesOf(data: Data): IThresholdTable[] {
  const thresholds = numbers(data['probability_thresholds'], 'probability_thresholds');
  const labels = texts(data['class_labels'], 'class_labels');
  return lists(data['probability_tables'], 'probability_tables').map((table, index) => {
    const counts = lists(table, 'a probability table').map(countsOf);
    if (counts.length !== thresholds.length) {
      throw new Unreadable(`a table has ${counts.length} rows for ${thresholds.length} thresholds`);
    }
    return { label: labels[index] ?? String(index), thresholds, counts };
  });
}

function residualsOf(data: Data): IResiduals {
  const edges = numbers(data['bin_edges'], 'bin_edges');
  const counts = numbers(data['bin_counts'], 'bin_counts');
  if (edges.length !== counts.length + 1) {
    throw new Unreadable(
      `${counts.length} counts need ${counts.length + 1} bin edges, there are ${edges.length}`
    );
  }
  return { edges, counts };
}

function predictionsOf(data: Data): IPredictions {
  return {
    averages: numbers(data['bin_averages'], 'bin_averages'),
    errors: numbers(data['bin_errors'], 'bin_errors'),
    counts: numbers(data['bin_counts'], 'bin_counts'),
    edges: numbers(data['bin_edges'], 'bin_edges')
  };
}

function truePredictedOf(data: Data): ITruePredicted {
  return { truth: numbers(data['true'], 'true'), predicted: numbers(data['predicted'], 'predicted') };
}

const READERS: Record<string, (data: Data) => Partial<IEvaluation>> = {
  roc_curve: data => ({ roc: rocOf(data), positiveLabel: labelOf(data), thinned: data['thinned'] === true }),
  precision_recall_curve: data => ({
    pr: prOf(data),
    positiveLabel: labelOf(data),
    thinned: data['thinned'] === true
  }),
  confusion_matrix: data => ({ confusion: confusionOf(data) }),
  accuracy_table: data => ({ tables: tablesOf(data) }),
  residuals: data => ({ residuals: residualsOf(data) }),
  predictions: data => ({ predictions: predictionsOf(data) }),
  predicted_vs_true: data => ({ truePredicted: truePredictedOf(data) })
};

const OTHERS: ReadonlySet<string> = new Set(['table', 'plotly', 'image']);

function labelOf(data: Data): string | null {
  return data['positive_label'] === null || data['positive_label'] === undefined
    ? null
    : String(data['positive_label']);
}

/** Which evaluation a chart belongs to: what stands before its type, or its own name when it has another. */
export function evaluationOf(chart: Pick<Chart, 'name' | 'schema_type'>): string {
  if (chart.name === chart.schema_type) {
    return '';
  }
  const ending = `.${chart.schema_type}`;
  return chart.name.endsWith(ending) ? chart.name.slice(0, -ending.length) : chart.name;
}

function emptyEvaluation(name: string): IEvaluation {
  return {
    name,
    positiveLabel: null,
    roc: [],
    pr: [],
    thinned: false,
    confusion: null,
    tables: [],
    residuals: null,
    predictions: null,
    truePredicted: null
  };
}

/** Reads all charts of a run; one that cannot be read does not stop the others. */
export function readCharts(charts: readonly Chart[]): IReadCharts {
  const evaluations = new Map<string, IEvaluation>();
  const others: IOtherChart[] = [];
  for (const chart of charts) {
    const read = READERS[chart.schema_type];
    if (!read) {
      const known = OTHERS.has(chart.schema_type);
      others.push({
        chart,
        problem: known ? '' : `This version does not draw charts of the type ${chart.schema_type}.`
      });
      continue;
    }
    try {
      const part = read(chart.data);
      const name = evaluationOf(chart);
      const whole = evaluations.get(name) ?? emptyEvaluation(name);
      const positiveLabel = part.positiveLabel ?? whole.positiveLabel;
      const thinned = whole.thinned || part.thinned === true;
      evaluations.set(name, { ...whole, ...part, positiveLabel, thinned });
    } catch (error) {
      if (!(error instanceof Unreadable)) {
        throw error;
      }
      others.push({ chart, problem: `The data cannot be drawn: ${error.message}.` });
    }
  }
  return { evaluations: [...evaluations.values()], others };
}

/** The class that the threshold is about at first: the positive one, else the last of two or the first of many. */
export function firstClass(evaluation: IEvaluation): number {
  const found = evaluation.tables.findIndex(table => table.label === evaluation.positiveLabel);
  return found >= 0 ? found : evaluation.tables.length === 2 ? 1 : 0;
}
