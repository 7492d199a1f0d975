/** For tests: an AutoML run and a table as the server would tell of them. */
import type { AutoML, AutoMLReport, Candidate, TableColumn, TablePreview } from '../api/types';

/** A column of numbers, with what a test says differently. */
export function someColumn(name: string, more: Partial<TableColumn> = {}): TableColumn {
  return {
    name,
    type: 'float64',
    role: 'numeric',
    missing: 0,
    distinct: 40,
    examples: ['1.5', '2'],
    steps: ['median', 'scale'],
    reason: '',
    ...more
  };
}

/** A model that was tried, with what a test says differently. */
export function someCandidate(number: number, more: Partial<Candidate> = {}): Candidate {
  return {
    number,
    run_id: `c${number}`,
    family: 'RandomForest',
    stage: 'portfolio',
    params: { max_depth: 7 },
    score: 0.9 - number / 100,
    low: 0.88 - number / 100,
    high: 0.92 - number / 100,
    folds: [0.9, 0.91],
    metrics: { accuracy: 0.85 },
    rows: 400,
    fit_s: 1.2,
    predict_ms: 4,
    size_bytes: 20_000,
    weights: {},
    onnx: {
      ready: true,
      rows: 100,
      label_flips: 0,
      max_abs_difference: 3e-7,
      speedup: 21,
      size_bytes: 9000,
      reason: ''
    },
    failed: '',
    ...more
  };
}

/** What a run has found, with what a test says differently. */
export function someReport(more: Partial<AutoMLReport> = {}): AutoMLReport {
  return {
    phase: 'trying models',
    task: 'classification',
    primary_metric: 'auc_weighted',
    goal: 'maximize',
    rows: 400,
    folds: 5,
    repeats: 1,
    classes: ['no', 'yes'],
    positive_label: 'yes',
    columns: [
      someColumn('tenure'),
      someColumn('plan', { role: 'categorical', steps: ['one-hot'] }),
      someColumn('churn', { role: 'target', steps: [] })
    ],
    findings: [],
    families: [],
    leaderboard: [someCandidate(0), someCandidate(1, { family: 'Linear' })],
    winner: null,
    margin: null,
    ways: [],
    budget: { timeout_s: 300, used_s: 60, parts: { fitting: 50, reading: 10 } },
    diagram: '',
    test: {},
    explanation: null,
    partitions: [],
    ...more
  };
}

/** An AutoML run that goes on, with what a test says differently. */
export function someAutoML(more: Partial<AutoML> = {}): AutoML {
  return {
    run_id: 'r1',
    name: 'churn-models',
    experiment: 'churn',
    status: 'Running',
    spec: {
      data: 'churn.csv',
      target: 'churn',
      task: 'auto',
      primary_metric: null,
      n_cross_validations: null,
      validation_data: null,
      validation_data_size: null,
      test_data: null,
      test_data_size: null,
      weight_column: null,
      positive_label: null,
      limits: {
        timeout_s: 300,
        max_trials: 1000,
        trial_timeout_s: null,
        exit_score: null,
        enable_early_termination: true,
        max_concurrent_trials: 1,
        memory_bytes: null
      },
      featurization: {
        mode: 'auto',
        blocked_transformers: [],
        column_name_and_types: {},
        transformer_params: {},
        dataset_language: 'eng'
      },
      training: {
        allowed_training_algorithms: [],
        blocked_training_algorithms: [],
        enable_vote_ensemble: true,
        enable_stack_ensemble: true,
        stack_ensemble_settings: {
          stack_meta_learner_type: 'LogisticRegression',
          stack_meta_learner_train_percentage: 0.2,
          stack_meta_learner_k_wargs: {}
        },
        enable_model_explainability: true,
        enable_onnx_compatible_models: true
      },
      forecasting: null,
      partition_by: [],
      seed: 0
    },
    report: someReport(),
    phase: 'Running',
    resume_from: null,
    notebook: false,
    ...more
  };
}

/** A table before anything is done with it. */
export function someTable(more: Partial<TablePreview> = {}): TablePreview {
  return {
    data: 'churn.csv',
    rows: 400,
    columns: [
      someColumn('tenure', { missing: 4 }),
      someColumn('day', { role: 'datetime', type: 'object', examples: ['2021-03-04'] }),
      someColumn('churn', { role: 'target', type: 'object', examples: ['no', 'yes'], distinct: 2 })
    ],
    head: [['1.5', '2021-03-04', 'no']],
    target: 'churn',
    task: 'classification',
    findings: [],
    ...more
  };
}
