/** A deployment's settings as fields: what each is called, which values it takes, and what is sent when some change. */
import type { Deployment, DeploymentSettings } from '../../api/types';
import { formatNumber } from '../common/format';

export type Group = keyof DeploymentSettings;
/** What stands in the fields, by `group.name`. */
export type SettingsDraft = Readonly<Record<string, string>>;
/** Only what changes, by group. */
export type SettingsChange = Record<string, Record<string, unknown>>;

export interface SettingField {
  group: Group;
  name: string;
  label: string;
  low: number;
  high: number;
  /** Whether it takes whole numbers only. */
  whole: boolean;
  hint?: string;
}

function field(
  group: Group,
  name: string,
  label: string,
  [low, high]: readonly [number, number],
  more: { part?: boolean; hint?: string } = {}
): SettingField {
  const { part = false, hint } = more;
  return { group, name, label, low, high, whole: !part, ...(hint === undefined ? {} : { hint }) };
}

const HUNG = 'When a process that does not answer counts as hung and is replaced.';
const READY = 'When a new process counts as ready and gets requests.';

function probe(group: 'liveness_probe' | 'readiness_probe'): SettingField[] {
  return [
    field(group, 'initial_delay_s', 'First asked after, s', [0, 3600], { part: true }),
    field(group, 'period_s', 'Asked every, s', [0.1, 3600], { part: true }),
    field(group, 'timeout_s', 'Answers within, s', [0.1, 3600], { part: true }),
    field(group, 'success_threshold', 'Answers in a row that count', [1, 1000]),
    field(group, 'failure_threshold', 'Failures in a row that count', [1, 1000])
  ];
}

export interface SettingsPart {
  title: string;
  note?: string;
  fields: readonly SettingField[];
  /** Folded until it is asked for. */
  folded?: boolean;
}

const COLLECTOR: readonly SettingField[] = [
  field('data_collector', 'sampling_rate', 'Share of the requests kept', [0, 1], {
    part: true,
    hint: '1 keeps all, 0.1 every tenth on average.'
  }),
  field('data_collector', 'retention_days', 'Kept for, days', [0, 36_500])
];

/** The parts of the form in their order. */
export const PARTS: readonly SettingsPart[] = [
  {
    title: 'Processes',
    fields: [
      field('scale_settings', 'min_instances', 'At least', [0, 256], {
        hint: '0: the first request starts one.'
      }),
      field('scale_settings', 'max_instances', 'At most', [1, 256], {
        hint: 'One more is started when those there are busy.'
      }),
      field('scale_settings', 'idle_s', 'Ends when idle for, s', [0.5, 1e7], { part: true }),
      field('scale_settings', 'target_utilization_percentage', 'Busy from, %', [1, 100], { part: true })
    ]
  },
  {
    title: 'Requests',
    fields: [
      field('request_settings', 'request_timeout_ms', 'Timeout, ms', [1, 86_400_000]),
      field('request_settings', 'max_concurrent_requests_per_instance', 'At once per process', [1, 10_000], {
        hint: 'Worked on or waiting; more are refused with 429.'
      }),
      field('request_settings', 'max_queue_wait_ms', 'Waits at most, ms', [0, 3_600_000])
    ]
  },
  {
    title: 'Limits',
    fields: [
      field('limits', 'memory_mb', 'Memory of a process, MB', [64, 1_048_576]),
      field('limits', 'threads', 'Threads of a process', [1, 256]),
      field('limits', 'body_mb', 'Body of a request, MB', [1, 1024]),
      field('limits', 'rows', 'Rows of a request', [1, 10_000_000])
    ]
  },
  { title: 'Liveness probe', note: HUNG, fields: probe('liveness_probe'), folded: true },
  { title: 'Readiness probe', note: READY, fields: probe('readiness_probe'), folded: true },
  { title: 'Data collector', fields: COLLECTOR, folded: true }
];

const FIELDS = PARTS.flatMap(part => part.fields);
export const COLLECTS = 'data_collector.enabled';
export const MASKED = 'data_collector.masked_columns';

export function keyOf({ group, name }: Pick<SettingField, 'group' | 'name'>): string {
  return `${group}.${name}`;
}

/** The fields as they stand now. */
export function settingsDraft(settings: DeploymentSettings): SettingsDraft {
  const draft: Record<string, string> = {};
  for (const one of FIELDS) {
    draft[keyOf(one)] = String((settings[one.group] as Record<string, unknown>)[one.name]);
  }
  draft[COLLECTS] = String(settings.data_collector.enabled);
  draft[MASKED] = settings.data_collector.masked_columns.join(', ');
  return draft;
}

/** Says why a field's text is not a value that it takes. */
export function fieldError({ low, high, whole }: SettingField, text: string): string | null {
  const value = Number(text);
  const fits = text.trim() !== '' && Number.isFinite(value) && value >= low && value <= high;
  return fits && (!whole || Number.isInteger(value))
    ? null
    : `A ${whole ? 'whole ' : ''}number from ${formatNumber(low)} to ${formatNumber(high)}.`;
}

/** What is wrong with the draft, by field. */
export function settingsProblems(draft: SettingsDraft): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const one of FIELDS) {
    const problem = fieldError(one, draft[keyOf(one)] ?? '');
    if (problem !== null) {
      problems[keyOf(one)] = problem;
    }
  }
  const [least, most] = ['scale_settings.min_instances', 'scale_settings.max_instances'] as const;
  if (!problems[least] && !problems[most] && Number(draft[least]) > Number(draft[most])) {
    problems[least] = 'More than there may be at most.';
  }
  return problems;
}

export function maskedColumns(text: string): string[] {
  return text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}

/** What is sent: the fields whose values differ from those that hold now. */
export function settingsChange(settings: Deployment['settings'], draft: SettingsDraft): SettingsChange {
  const before = settingsDraft(settings);
  const change: SettingsChange = {};
  const set = (group: string, name: string, value: unknown): void => {
    change[group] = { ...change[group], [name]: value };
  };
  for (const one of FIELDS) {
    const value = Number(draft[keyOf(one)]);
    if (value !== Number(before[keyOf(one)])) {
      set(one.group, one.name, value);
    }
  }
  if (draft[COLLECTS] !== before[COLLECTS]) {
    set('data_collector', 'enabled', draft[COLLECTS] === 'true');
  }
  const masked = maskedColumns(draft[MASKED] ?? '');
  if (masked.join('\n') !== settings.data_collector.masked_columns.join('\n')) {
    set('data_collector', 'masked_columns', masked);
  }
  return change;
}
