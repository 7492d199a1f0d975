/** What the comparison of ONNX with the original found, in plain words. */

import type { ModelVersion, ParityAttempt, ParityReport, Real, VersionStatus } from '../../api/types';
import { plural } from '../common/format';

const DTYPES: Record<string, string> = {
  float64: 'float64 throughout',
  'float64 with float32 model': 'float64 preprocessing, float32 model',
  float32: 'float32 throughout'
};

/** A rung of the ladder of number types in words. */
export function dtypeText(dtype: string): string {
  return DTYPES[dtype] ?? dtype;
}

/** A difference with two digits: its size matters, not its value. */
export function differenceText(value: Real | null): string {
  if (value === null) {
    return '-';
  }
  const number = Number(value);
  if (!Number.isFinite(number)) {
    return String(value);
  }
  const small = number !== 0 && Math.abs(number) < 1e-3;
  return small ? number.toExponential(1).replace('.0e', 'e') : String(Number(number.toPrecision(2)));
}

function flipsText({ label_flips: flips, rows }: ParityReport): string {
  if (flips === null) {
    return '';
  }
  return flips === 0 ? 'the same labels, ' : `another label on ${flips} of ${plural(rows, 'row')}, `;
}

/** One sentence with the numbers that decide. */
export function paritySentence(report: ParityReport): string {
  const measure = report.label_flips === null ? "of the target's scale" : 'in probability';
  const largest = `a largest difference of ${differenceText(report.max_abs_difference)} ${measure}`;
  const limit = `the tolerance is ${differenceText(report.tolerance)}`;
  return `Compared with the original on ${plural(report.rows, 'row')}: ${flipsText(report)}${largest}; ${limit}.`;
}

/** Whether the report shows that ONNX answers like the original. */
export function agrees(report: ParityReport): boolean {
  return (report.label_flips ?? 0) === 0 && Number(report.max_abs_difference) <= report.tolerance;
}

/** What became of one rung. */
export function attemptText(attempt: ParityAttempt): string {
  if (attempt.error !== '') {
    return attempt.error;
  }
  return attempt.accepted ? 'chosen' : 'not close enough';
}

/** What a version's status means for what can be done with it. */
export function statusSentence(status: VersionStatus): string {
  switch (status) {
    case 'Converting':
      return 'Being converted to ONNX and compared with the original. It can be deployed when that is done.';
    case 'Ready':
      return 'Converted to ONNX, loaded, and compared with the original. It can be deployed.';
    default:
      return 'Kept and downloadable, but it cannot be deployed.';
  }
}

/** What a decision threshold in the graph means, and how the labels by it agree. */
export function thresholdSentence(threshold: NonNullable<ModelVersion['threshold']>): string {
  const { threshold: value, positive, rows, label_flips: flips, ties } = threshold;
  const agreed =
    rows === 0
      ? 'not compared, there was no sample'
      : `${flips === 0 ? 'the same labels' : plural(flips, 'other label')} on ${plural(rows, 'row')}`;
  const near = ties > 0 ? `, ${plural(ties, 'row')} at the threshold itself` : '';
  return `${positive} from a probability of ${value}; ${agreed}${near}`;
}

/** How far ONNX may be from the original. */
export function policyText({ policy }: Pick<ParityReport, 'policy'>): string {
  const limit = policy.max_abs_difference;
  const differ =
    limit === null || limit === undefined
      ? 'the usual tolerance'
      : `a difference of ${differenceText(limit)}`;
  const share =
    policy.quantile === 1 ? 'every row' : `${Number((policy.quantile * 100).toPrecision(4))} % of rows`;
  return `${plural(policy.max_label_flips, 'label flip')}, ${differ} for ${share}`;
}
