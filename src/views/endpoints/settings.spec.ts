import { describe, expect, it } from 'vitest';

import type { DeploymentSettings } from '../../api/types';
import { MASKED, maskedColumns, settingsChange, settingsDraft, settingsProblems } from './settings';

const PROBE = {
  initial_delay_s: 0,
  period_s: 1,
  timeout_s: 3,
  success_threshold: 1,
  failure_threshold: 6
};

const SETTINGS: DeploymentSettings = {
  request_settings: {
    request_timeout_ms: 30_000,
    max_concurrent_requests_per_instance: 64,
    max_queue_wait_ms: 500
  },
  scale_settings: { min_instances: 1, max_instances: 2, idle_s: 300, target_utilization_percentage: 70 },
  liveness_probe: PROBE,
  readiness_probe: PROBE,
  limits: { memory_mb: 4096, body_mb: 16, rows: 100_000, threads: 1 },
  data_collector: { enabled: false, sampling_rate: 1, masked_columns: ['name'], retention_days: 30 }
};

describe('the settings of a deployment', () => {
  const draft = settingsDraft(SETTINGS);

  it('are all fields, of which nothing is sent while nothing changed', () => {
    expect(draft['limits.memory_mb']).toBe('4096');
    expect(settingsProblems(draft)).toEqual({});
    expect(settingsChange(SETTINGS, { ...draft, 'limits.memory_mb': ' 4096.0 ' })).toEqual({});
  });

  it('are sent by group, only those that changed', () => {
    const changed = {
      ...draft,
      'scale_settings.min_instances': '0',
      'scale_settings.idle_s': '2.5',
      'data_collector.enabled': 'true',
      [MASKED]: 'name, age'
    };
    expect(settingsChange(SETTINGS, changed)).toEqual({
      scale_settings: { min_instances: 0, idle_s: 2.5 },
      data_collector: { enabled: true, masked_columns: ['name', 'age'] }
    });
  });

  it('say what is wrong with a value, by its field', () => {
    const problems = settingsProblems({
      ...draft,
      'limits.memory_mb': '63',
      'limits.rows': '1.5',
      'request_settings.request_timeout_ms': '',
      'data_collector.sampling_rate': '1.1',
      'scale_settings.min_instances': '3'
    });
    expect(problems).toEqual({
      'limits.memory_mb': 'A whole number from 64 to 1\u202f048\u202f576.',
      'limits.rows': 'A whole number from 1 to 10\u202f000\u202f000.',
      'request_settings.request_timeout_ms': 'A whole number from 1 to 86\u202f400\u202f000.',
      'data_collector.sampling_rate': 'A number from 0 to 1.',
      'scale_settings.min_instances': 'More than there may be at most.'
    });
  });

  it('leave out empty names of columns', () => {
    expect(maskedColumns(' a ,, b c,')).toEqual(['a', 'b c']);
  });
});
