/** For tests: a run as the server would tell of it. */
import type { Run } from '../api/types';

const MINUTE = '2026-11-21T02:00:00Z';

/** A finished run of a script, with what a test says differently. */
export function someRun(more: Partial<Run> = {}): Run {
  return {
    id: 'r1',
    name: 'forest',
    experiment_id: 'e1',
    experiment: 'churn',
    kind: 'script',
    status: 'Completed',
    reason: '',
    user: 'ana',
    target: 'local',
    created_at: MINUTE,
    started_at: MINUTE,
    ended_at: MINUTE,
    duration_s: 12,
    parent_run_id: null,
    waits_for: null,
    progress: null,
    params: {},
    metrics: {},
    tags: {},
    exit_code: 0,
    last_seen_at: null,
    retry_of: null,
    stop_requested_at: null,
    description: '',
    spec: {
      cell: null,
      script: 'train.py',
      notebook: null,
      command: [],
      params: {},
      args: [],
      env: {},
      folder: '',
      python: null,
      kernel: null,
      target: 'local',
      priority: 0,
      resources: { cpus: 1, memory_bytes: 0, gpus: 0 },
      limits: { wall_time_s: null, memory_bytes: null },
      options: {}
    },
    origin: { notebook: null, cell_id: null, cell_number: null, script: 'train.py', host: 'lab', git: null },
    environment: null,
    snapshot_id: null,
    folder: '/w/.mlstudio/runs/r1',
    summaries: [],
    etag: 1,
    ...more
  };
}
