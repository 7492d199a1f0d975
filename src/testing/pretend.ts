/** For tests: a server that answers from a table, behind the real client. */
import { ServerConnection } from '@jupyterlab/services';
import { Client } from '../api/client';
import type { Run } from '../api/types';
import { StudioModel } from '../models/studio';

export type Answers = Record<string, (query: URLSearchParams, body: unknown) => unknown>;

/** What was asked, as `METHOD path`, and with which body. */
export interface Asked {
  what: string;
  body: unknown;
}

/** A studio whose server knows what the table says; anything else is a 404. */
export function pretendStudio(answers: Answers): { studio: StudioModel; asked: Asked[] } {
  const asked: Asked[] = [];
  const table: Answers = {
    'GET changes': () => ({ seq: 0, epoch: 'e', reset: false, changes: [], at: '' }),
    ...answers
  };
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    const request = input as Request;
    const url = new URL(request.url);
    const what = `${request.method} ${decodeURIComponent(url.pathname.replace('/mlstudio/api/v1/', ''))}`;
    const text = request.method === 'GET' ? '' : await request.text();
    const body: unknown = text ? JSON.parse(text) : null;
    asked.push({ what, body });
    const answer = table[what];
    return answer
      ? new Response(JSON.stringify(answer(url.searchParams, body)), { status: 200 })
      : new Response(JSON.stringify({ code: 'not_found', message: `There is no ${what}.` }), { status: 404 });
  };
  const settings = ServerConnection.makeSettings({ baseUrl: 'http://localhost/', fetch, Request, Headers });
  return { studio: new StudioModel({ client: new Client(settings) }), asked };
}

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
