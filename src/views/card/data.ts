/** What a notebook keeps of a run; it may come from a stranger, so nothing in it is taken for granted. */

/** The last known facts, as short texts, for when the server knows no more. */
export interface StillRun {
  name: string;
  experiment: string;
  status: string;
  reason: string;
  createdAt: string | null;
  durationS: number | null;
  origin: string;
  params: [name: string, value: string][];
  metrics: [name: string, value: string][];
}

export interface CardData {
  runId: string;
  name: string;
  /** The root of the run's workspace, null for the server's own. */
  workspace: string | null;
  still: StillRun;
}

const LIMIT = 24;

/** Reads the MIME bundle's data, with empty texts for whatever is missing or of another type. */
export function readCard(value: unknown): CardData {
  const data = record(value);
  const still = record(data['static']);
  const name = text(data['name']) || text(still['name']);
  return {
    runId: text(data['run_id']),
    name: name || 'run',
    workspace: text(data['workspace']) || null,
    still: {
      name,
      experiment: text(still['experiment']),
      status: text(still['status']),
      reason: text(still['reason']),
      createdAt: text(still['created_at']) || null,
      durationS: typeof still['duration_s'] === 'number' ? still['duration_s'] : null,
      origin: text(still['origin']),
      params: pairs(still['params']),
      metrics: pairs(still['metrics'])
    }
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function pairs(value: unknown): [string, string][] {
  return Object.entries(record(value))
    .slice(0, LIMIT)
    .map(([name, one]) => [name, text(one)]);
}
