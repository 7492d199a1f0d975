/** One threshold, and the numbers that move with it. */
import { type JSX, useId, useState } from 'react';
import { StudioError } from '../../../api/client';
import { changeRun, POSITIVE_TAG, THRESHOLD_TAG } from '../../../models/actions';
import { CommandIDs } from '../../../tokens';
import {
  Button,
  CommandButton,
  ErrorBox,
  MISSING,
  Name,
  formatNumber,
  formatPercent,
  visible
} from '../../common';
import type { RunProps } from '../header';
import {
  bestThreshold,
  type ICosts,
  type IMeasures,
  type IThresholdTable,
  nearestThreshold,
  type Target
} from './measures';

export interface ThresholdProps extends Pick<RunProps, 'studio' | 'run' | 'execute'> {
  table: IThresholdTable;
  /** Whether a model could be registered with it: of two classes. */
  binary: boolean;
  /** Row of the table that is chosen. */
  at: number;
  onAt: (row: number) => void;
  measures: IMeasures;
  costs: ICosts;
  onCosts: (costs: ICosts) => void;
}

const TARGETS: readonly [Target, string, string][] = [
  ['f1', 'Best F1', 'The threshold with the highest F1'],
  ['youden', 'Best balance', "The threshold with the highest recall + specificity (Youden's J)"],
  ['cost', 'Lowest cost', 'The threshold with the lowest cost at the costs that are given']
];

function Numbers({ measures }: { measures: IMeasures }): JSX.Element {
  const rows: [string, string, string][] = [
    [
      'Precision',
      formatPercent(measures.precision, 2),
      'Of those predicted to be of the class, how many are'
    ],
    ['Recall', formatPercent(measures.recall, 2), 'Of those of the class, how many are found'],
    ['F1', formatNumber(measures.f1), 'Harmonic mean of precision and recall'],
    ['Accuracy', formatPercent(measures.accuracy, 2), 'Of all rows, how many are right'],
    [
      'Specificity',
      formatPercent(measures.specificity, 2),
      'Of those not of the class, how many are left out'
    ],
    ['Cost', formatNumber(measures.cost), 'False positives and false negatives at the costs below']
  ];
  return (
    <dl className="jp-mls-Numbers" aria-live="polite">
      {rows.map(([name, value, title]) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd>{value || MISSING}</dd>
        </div>
      ))}
    </dl>
  );
}

function CostField({
  label,
  value,
  onChange
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
}): JSX.Element {
  const [text, setText] = useState(String(value));
  const typed = (next: string): void => {
    setText(next);
    const read = Number(next);
    if (next.trim() !== '' && Number.isFinite(read) && read >= 0) {
      onChange(read);
    }
  };
  return (
    <label>
      {label}{' '}
      <input
        className="jp-mls-Input jp-mod-short"
        type="number"
        min={0}
        step="any"
        value={text}
        onChange={event => typed(event.target.value)}
      />
    </label>
  );
}

function UseThreshold({
  studio,
  run,
  execute,
  threshold,
  label
}: Pick<ThresholdProps, 'studio' | 'run' | 'execute'> & { threshold: number; label: string }): JSX.Element {
  const [error, setError] = useState<StudioError | null>(null);
  const stored = run.tags[THRESHOLD_TAG];
  const about = run.tags[POSITIVE_TAG];
  // Twelve digits say all that a table of thresholds can tell apart, and read 0.408 instead of 0.40800000000000003.
  const text = String(Number(threshold.toPrecision(12)));
  const same =
    stored !== undefined &&
    Number(Number(stored).toPrecision(12)) === Number(text) &&
    (about === undefined || about === label);
  const store = (value: string | null): void => {
    changeRun(studio, run.id, {
      tags: { [THRESHOLD_TAG]: value, ...(value === null ? {} : { [POSITIVE_TAG]: label }) }
    }).then(
      () => setError(null),
      (why: unknown) => setError(StudioError.from(why))
    );
  };
  return (
    <div className="jp-mls-Actions">
      <Button primary disabled={same} onClick={() => store(text)}>
        {same ? 'This threshold is used' : 'Use this threshold'}
      </Button>
      <CommandButton
        execute={execute}
        command={CommandIDs.registerModel}
        args={{ runId: run.id, threshold: Number(text), positiveLabel: label }}
        disabled={run.status !== 'Completed' || Number(text) <= 0 || Number(text) >= 1}
        title="Register the run's model so that its ONNX form and every endpoint answer by this threshold"
      >
        Register with this threshold …
      </CommandButton>
      {stored !== undefined && !same && (
        <span className="jp-mls-quiet">
          Stored: {formatNumber(Number(stored))}
          {about !== undefined && ` for ${visible(about)}`}{' '}
          <Button minimal onClick={() => store(null)}>
            Forget
          </Button>
        </span>
      )}
      {error && <ErrorBox what="The threshold was not stored" error={error} />}
    </div>
  );
}

/** Slider, numbers, costs, and the way to keep the choice with the run. */
export function ThresholdPanel({
  studio,
  run,
  execute,
  table,
  binary,
  at,
  onAt,
  measures,
  costs,
  onCosts
}: ThresholdProps): JSX.Element {
  const id = useId();
  const threshold = table.thresholds[at] ?? 0;
  return (
    <section className="jp-mls-Threshold" aria-label="Threshold">
      <div className="jp-mls-Threshold-slider">
        <label htmlFor={id}>
          Threshold for{' '}
          <strong>
            <Name text={table.label} />
          </strong>
        </label>
        <input
          id={id}
          type="range"
          min={0}
          max={table.thresholds.length - 1}
          step={1}
          value={at}
          aria-valuetext={formatNumber(threshold)}
          onChange={event => onAt(Number(event.target.value))}
        />
        <input
          className="jp-mls-Input jp-mod-short"
          type="number"
          min={0}
          max={1}
          step={table.thresholds.length > 200 ? 0.002 : 0.01}
          value={Number(threshold.toFixed(4))}
          aria-label="Threshold as a number"
          onChange={event => onAt(nearestThreshold(table.thresholds, Number(event.target.value)))}
        />
      </div>
      <Numbers measures={measures} />
      <div className="jp-mls-Threshold-costs">
        <CostField
          label="Cost of a false positive"
          value={costs.fp}
          onChange={fp => onCosts({ ...costs, fp })}
        />
        <CostField label="of a false negative" value={costs.fn} onChange={fn => onCosts({ ...costs, fn })} />
      </div>
      <div className="jp-mls-Actions">
        {TARGETS.map(([target, label, title]) => (
          <Button key={target} title={title} onClick={() => onAt(bestThreshold(table, costs, target))}>
            {label}
          </Button>
        ))}
      </div>
      {binary && <UseThreshold {...{ studio, run, execute, threshold }} label={table.label} />}
    </section>
  );
}
