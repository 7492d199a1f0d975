/** The answer of an endpoint in the words of its signature: labels with probabilities, or values. */

import {
  isFloat,
  readTensors,
  rowWidth,
  type RequestTensor,
  type Scalar,
  type Tensor
} from '../models/tensors';

/** The part of a signature that says how answers are to be read. */
export interface AnswerSignature {
  outputs: Tensor[];
  labels: string[];
}

export interface Share {
  label: string;
  /** Between 0 and 1. */
  probability: number;
}

/** What a model says of one row. */
export interface Prediction {
  /** The class, null for a model that answers numbers. */
  label: string | null;
  /** Classes with their probabilities, most probable first; empty when the model gives none. */
  shares: Share[];
  /** All other outputs. */
  values: { name: string; values: Scalar[] }[];
}

function sharesOf(tensor: RequestTensor, row: number, labels: string[]): Share[] {
  const values = tensor.data.slice(row * labels.length, (row + 1) * labels.length).map(Number);
  return values
    .map((probability, index) => ({ label: labels[index] ?? String(index), probability }))
    .sort((a, b) => b.probability - a.probability);
}

function isProbabilities(tensor: RequestTensor, labels: string[]): boolean {
  return (
    labels.length > 1 &&
    isFloat(tensor.datatype) &&
    tensor.shape.length === 2 &&
    rowWidth(tensor) === labels.length
  );
}

function labelOf(tensor: RequestTensor | undefined, row: number, shares: Share[]): string | null {
  const said = tensor?.data[row];
  return said === undefined || said === null ? (shares[0]?.label ?? null) : String(said);
}

/**
 * Reads an inference answer of the Open Inference Protocol V2.
 *
 * @param signature - what the model said it answers
 * @param response - the endpoint's answer
 * @returns one prediction per row; empty when the answer holds no outputs
 */
export function readAnswer(signature: AnswerSignature, response: Record<string, unknown>): Prediction[] {
  const outputs = readTensors(response.outputs);
  const { labels } = signature;
  const probabilities = outputs.find(one => isProbabilities(one, labels));
  const label =
    labels.length > 0 ? outputs.find(one => one !== probabilities && rowWidth(one) === 1) : undefined;
  const others = outputs.filter(one => one !== probabilities && one !== label);
  const count = Math.max(0, ...outputs.map(one => one.shape[0] ?? 0));
  return Array.from({ length: count }, (_, row) => {
    const shares = probabilities ? sharesOf(probabilities, row, labels) : [];
    return {
      label: labelOf(label, row, shares),
      shares,
      values: others.map(one => {
        const width = rowWidth(one);
        return { name: one.name, values: one.data.slice(row * width, (row + 1) * width) };
      })
    };
  });
}

/** What the endpoint said was wrong, for an answer that is an error. */
export function answerError(status: number, response: Record<string, unknown>): string | null {
  if (status < 400) {
    return null;
  }
  const said = response.error ?? response.message ?? response.detail;
  return typeof said === 'string' && said !== '' ? said : `The endpoint answered with status ${status}.`;
}
