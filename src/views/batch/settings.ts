/** The settings of a batch deployment as fields, and what is sent when some differ. */
import type { BatchSettings } from '../../api/types';
import { formatNumber } from '../common/format';

export interface BatchField {
  name: string;
  label: string;
  hint: string;
  low: number;
  high: number;
  whole: boolean;
}

/** What stands in the fields. */
export type BatchDraft = Readonly<Record<string, string>>;

export const NUMBERS: readonly BatchField[] = [
  {
    name: 'mini_batch_size',
    label: 'Mini-batch',
    hint: 'Rows for a model, files for a script.',
    low: 1,
    high: 10_000_000,
    whole: true
  },
  {
    name: 'max_concurrency',
    label: 'Processes',
    hint: 'That score at the same time.',
    low: 1,
    high: 256,
    whole: true
  },
  {
    name: 'error_threshold',
    label: 'Rows that may fail',
    hint: '-1: any number.',
    low: -1,
    high: Number.MAX_SAFE_INTEGER,
    whole: true
  },
  {
    name: 'max_retries',
    label: 'Tried again',
    hint: 'Times, per mini-batch.',
    low: 0,
    high: 100,
    whole: true
  },
  {
    name: 'timeout_s',
    label: 'Timeout, s',
    hint: 'Of one try of a mini-batch.',
    low: 0.001,
    high: 604_800,
    whole: false
  }
];

export const ACTIONS: readonly (readonly [value: string, text: string])[] = [
  ['append_row', 'a row for each row'],
  ['summary_only', 'only a summary']
];

const FILE = /^[\p{L}\p{N}_][\p{L}\p{N}_ .()-]{0,120}$/u;

const DEFAULTS: BatchSettings = {
  mini_batch_size: 10_000,
  max_concurrency: 2,
  error_threshold: -1,
  retries: { max_retries: 3, timeout_s: 300 },
  output_action: 'append_row',
  output_file_name: 'predictions.csv'
};

/** The fields as they stand; the studio's own without settings. */
export function batchDraft(settings: BatchSettings = DEFAULTS): BatchDraft {
  const { retries, ...others } = settings;
  return Object.fromEntries(
    Object.entries({ ...others, ...retries }).map(([name, value]) => [name, String(value)])
  );
}

/** What is wrong, by field. */
export function batchProblems(draft: BatchDraft): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const { name, low, high, whole } of NUMBERS) {
    const text = draft[name] ?? '';
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      const most =
        high === Number.MAX_SAFE_INTEGER ? `at least ${low}` : `from ${low} to ${formatNumber(high)}`;
      problems[name] = `A ${whole ? 'whole ' : ''}number ${most}.`;
    }
  }
  const file = draft['output_file_name'] ?? '';
  if (!FILE.test(file) || !/\.(csv|jsonl|parquet)$/i.test(file)) {
    problems['output_file_name'] = "A file's name that ends with .csv, .jsonl or .parquet.";
  } else if (/^errors\.csv$/i.test(file)) {
    problems['output_file_name'] = 'errors.csv is what a job calls its failures.';
  }
  return problems;
}

/** The draft as settings. */
export function batchSettings(draft: BatchDraft): BatchSettings {
  const number = (name: string): number => Number(draft[name]);
  return {
    mini_batch_size: number('mini_batch_size'),
    max_concurrency: number('max_concurrency'),
    error_threshold: number('error_threshold'),
    retries: { max_retries: number('max_retries'), timeout_s: number('timeout_s') },
    output_action: draft['output_action'] === 'summary_only' ? 'summary_only' : 'append_row',
    output_file_name: draft['output_file_name'] ?? ''
  };
}

/** Only the fields that differ from the deployment's own, as a job takes them. */
export function batchOverrides(settings: BatchSettings, draft: BatchDraft): Record<string, unknown> {
  const flat = ({ retries, ...others }: BatchSettings): Record<string, unknown> => ({
    ...others,
    ...retries
  });
  const [before, after] = [flat(settings), flat(batchSettings(draft))];
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value));
}
