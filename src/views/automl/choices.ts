/** What can be chosen for an AutoML run: tasks, metrics, families of models, types of columns. */
import type { AutoMLTask, ColumnRole } from '../../api/types';

export const TASKS: readonly (readonly [task: AutoMLTask, word: string, hint: string])[] = [
  ['auto', 'Look at the target', 'Few values or words: classes. Many numbers: a number.'],
  ['classification', 'Classes', 'Which of a few values it is.'],
  ['regression', 'A number', 'How much it is.'],
  ['forecasting', 'The future of a series', 'How it goes on over time.']
];

/** By task: the metric's name, as the server knows it, and what it says. */
export const METRICS: Record<AutoMLTask, readonly (readonly [name: string, word: string])[]> = {
  auto: [],
  classification: [
    ['auc_weighted', 'AUC, weighted'],
    ['accuracy', 'Accuracy'],
    ['norm_macro_recall', 'Macro recall, normalized'],
    ['average_precision_score_weighted', 'Average precision, weighted'],
    ['precision_score_weighted', 'Precision, weighted'],
    ['f1_score_weighted', 'F1, weighted'],
    ['balanced_accuracy', 'Accuracy, balanced'],
    ['log_loss', 'Log loss']
  ],
  regression: [
    ['r2_score', 'R²'],
    ['normalized_root_mean_squared_error', 'RMSE, normalized'],
    ['normalized_mean_absolute_error', 'MAE, normalized'],
    ['spearman_correlation', 'Spearman correlation']
  ],
  forecasting: [
    ['normalized_root_mean_squared_error', 'RMSE, normalized'],
    ['normalized_mean_absolute_error', 'MAE, normalized'],
    ['mean_absolute_scaled_error', 'MASE, below 1 is better than naive'],
    ['r2_score', 'R²'],
    ['spearman_correlation', 'Spearman correlation']
  ]
};

const TABULAR = [
  'LightGBM',
  'XGBoost',
  'CatBoost',
  'HistGradientBoosting',
  'RandomForest',
  'ExtraTrees',
  'Linear',
  'KNN',
  'SVM',
  'MLP'
];

/** Names of families that take part unless they are blocked. */
export const FAMILIES: Record<AutoMLTask, readonly string[]> = {
  auto: [...TABULAR, 'ElasticNet'],
  classification: TABULAR,
  regression: [...TABULAR, 'ElasticNet'],
  forecasting: [
    'Naive',
    'SeasonalNaive',
    'Drift',
    'Average',
    'ExponentialSmoothing',
    'Theta',
    'Arima',
    'Ridge',
    'HistGradientBoosting',
    'LightGBM',
    'XGBoost',
    'ExtraTrees',
    'RandomForest',
    'MLP',
    'KNN'
  ]
};

/** How a column can be taken when what was guessed would be wrong. */
export const COLUMN_TYPES: readonly (readonly [type: string, word: string])[] = [
  ['Numeric', 'number'],
  ['Categorical', 'category'],
  ['Boolean', 'yes or no'],
  ['DateTime', 'date or time'],
  ['Text', 'text'],
  ['Ignore', 'leave out']
];

export const ROLE_WORDS: Record<ColumnRole, string> = {
  numeric: 'number',
  categorical: 'category',
  boolean: 'yes or no',
  datetime: 'date or time',
  text: 'text',
  target: 'target',
  weight: 'weight',
  time: 'time',
  series: 'series',
  dropped: 'left out'
};

export function taskWord(task: AutoMLTask): string {
  return TASKS.find(([id]) => id === task)?.[1].toLowerCase() ?? task;
}
