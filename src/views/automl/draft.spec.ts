import { describe, expect, it } from 'vitest';

import { someTable } from '../../testing/automl';
import { type Draft, emptyDraft, forTable, problemsOf, requestOf, withTask } from './draft';

const FILLED: Draft = { ...emptyDraft('churn.csv'), target: 'churn' };

describe('the request of the wizard', () => {
  it('says only what was chosen', () => {
    expect(requestOf(FILLED)).toEqual({
      automl: { data: 'churn.csv', target: 'churn', limits: { timeout_s: 300 } }
    });
  });

  it('takes over every choice', () => {
    const draft: Draft = {
      ...FILLED,
      task: 'classification',
      metric: 'accuracy',
      positive: 'yes',
      weight: 'w',
      types: { zip: 'Categorical' },
      minutes: '2.5',
      trials: '20',
      parallel: '2',
      memory: '4',
      folds: '3',
      blocked: ['SVM'],
      onnx: false,
      ensembles: false,
      partition: ['store'],
      name: ' best ',
      experiment: 'churn'
    };
    expect(requestOf(draft)).toEqual({
      name: 'best',
      experiment: 'churn',
      automl: {
        data: 'churn.csv',
        target: 'churn',
        task: 'classification',
        primary_metric: 'accuracy',
        n_cross_validations: 3,
        weight_column: 'w',
        positive_label: 'yes',
        limits: { timeout_s: 150, max_trials: 20, max_concurrent_trials: 2, memory_bytes: 4e9 },
        featurization: { mode: 'custom', column_name_and_types: { zip: 'Categorical' } },
        training: {
          blocked_training_algorithms: ['SVM'],
          enable_onnx_compatible_models: false,
          enable_vote_ensemble: false,
          enable_stack_ensemble: false
        },
        partition_by: ['store']
      }
    });
  });

  it('of a forecast has its time, and nothing of other tasks', () => {
    const draft: Draft = {
      ...FILLED,
      task: 'forecasting',
      time: 'day',
      horizon: '7',
      series: ['store'],
      positive: 'x',
      frequency: ' W ',
      aggregate: 'sum',
      unknown: ['visitors', 'day'],
      lags: true
    };
    expect(requestOf(draft).automl).toEqual({
      data: 'churn.csv',
      target: 'churn',
      task: 'forecasting',
      limits: { timeout_s: 300 },
      forecasting: {
        time_column_name: 'day',
        forecast_horizon: 7,
        time_series_id_column_names: ['store'],
        frequency: 'W',
        target_aggregate_function: 'sum',
        feature_lags: 'auto',
        features_unknown_at_forecast_time: ['visitors']
      }
    });
  });
});

describe('what keeps the wizard from beginning', () => {
  it('is nothing once a target is chosen', () => {
    expect(problemsOf(FILLED)).toEqual({});
    expect(problemsOf(emptyDraft('a.csv')).target).toContain('Choose');
  });

  it('is named by field', () => {
    const draft: Draft = {
      ...FILLED,
      minutes: '0',
      trials: '1.5',
      folds: '1',
      memory: '-1',
      partition: ['churn']
    };
    expect(Object.keys(problemsOf(draft)).sort()).toEqual([
      'folds',
      'memory',
      'minutes',
      'partition',
      'trials'
    ]);
    expect(problemsOf({ ...FILLED, task: 'forecasting' }).time).toContain('Choose');
    expect(problemsOf({ ...FILLED, task: 'forecasting', time: 'churn' }).time).toContain('target');
    const summed: Draft = { ...FILLED, task: 'forecasting', time: 'day', aggregate: 'sum' };
    expect(problemsOf(summed).frequency).toContain('such as D');
    expect(problemsOf({ ...summed, frequency: 'D' })).toEqual({});
  });
});

describe('another table', () => {
  it('forgets columns that it does not have, and keeps the rest', () => {
    const draft = forTable(
      {
        ...FILLED,
        target: 'gone',
        weight: 'gone',
        series: ['gone', 'day'],
        types: { gone: 'Text' },
        minutes: '9'
      },
      someTable()
    );
    expect(draft).toMatchObject({
      target: 'churn',
      weight: '',
      series: ['day'],
      types: {},
      time: 'day',
      minutes: '9'
    });
  });

  it('or another task forgets the metric of the old one', () => {
    const draft = withTask({ ...FILLED, task: 'classification', metric: 'accuracy' }, 'regression');
    expect(draft.metric).toBe('');
    expect(withTask(draft, 'regression').task).toBe('regression');
  });
});
