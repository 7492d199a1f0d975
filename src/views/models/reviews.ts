/** What is decided about a version, in words, and what its dialogs ask for. */
import type { ModelEvent, ModelVersion, Stage } from '../../api/types';
import { thresholdError } from './names';
import type { Question, Replies } from './questions';

/** The stages that a version is moved to; the archive has an action of its own. */
export const STAGES: readonly Stage[] = ['None', 'Development', 'Staging', 'Production'];

export type Verdict = ModelVersion['approval']['status'];

/** What a decision changes, said before it is made. */
export function verdictNote(status: Verdict): string {
  switch (status) {
    case 'Approved':
      return 'The version is marked as approved, with your name.';
    case 'Rejected':
      return 'A rejected version is not deployed anew, gets no protected alias and does not go to Production.';
    default:
      return 'The version is undecided again; the journal keeps what was decided before.';
  }
}

/** Says what is wrong with a threshold that has to be given. */
export function thresholdProblem(text: string): string | null {
  return text.trim() === '' ? 'A threshold is needed.' : thresholdError(text);
}

/** `champion, production` as names, each once. */
export function aliasNames(text: string): string[] {
  return [...new Set(text.split(',').map(name => name.trim()))].filter(name => name !== '');
}

const isImage = ({ target }: Replies): boolean => target === 'docker' || target === 'kubernetes';

function positive(reply: string): string | null {
  return reply.trim() === '' || Number(reply) > 0 ? null : 'A number greater than 0.';
}

function whole(reply: string): string | null {
  return reply.trim() === '' || /^[1-9]\d*$/.test(reply.trim()) ? null : 'A whole number of at least 1.';
}

/** A package's target and the options that it has. */
export const PACKAGE_QUESTIONS: readonly Question[] = [
  {
    name: 'target',
    label: 'Target',
    kind: 'choice',
    choices: ['local', 'docker', 'kubernetes', 'edge'],
    hint: 'local: a ZIP file. docker: an image layout and a Dockerfile. kubernetes: manifests too. edge: systemd and Podman units.'
  },
  {
    name: 'base',
    label: 'Base (optional)',
    hint: 'An OCI layout in this workspace that the layers are put on.',
    when: isImage
  },
  {
    name: 'packages',
    label: 'Hold onnxruntime and numpy',
    kind: 'choice',
    choices: ['yes', 'no'],
    when: isImage
  },
  {
    name: 'build',
    label: 'Build with docker, podman or buildah',
    kind: 'choice',
    choices: ['no', 'yes'],
    when: isImage
  },
  {
    name: 'base_image',
    label: 'Base image of the Dockerfile (optional)',
    placeholder: 'python:3.11-slim',
    when: isImage
  },
  { name: 'image', label: 'Image (optional)', when: ({ target }) => target === 'kubernetes' },
  {
    name: 'replicas',
    label: 'Replicas',
    placeholder: '1',
    problem: whole,
    when: ({ target }) => target === 'kubernetes'
  },
  { name: 'cpu', label: 'CPU', placeholder: '1', when: ({ target }) => target === 'kubernetes' },
  { name: 'memory', label: 'Memory', placeholder: '512Mi', when: ({ target }) => target === 'kubernetes' },
  {
    name: 'limit_mb',
    label: 'Size limit in MB (optional)',
    problem: positive,
    when: ({ target }) => target === 'edge'
  }
];

const SWITCHES = new Set(['packages', 'build']);
const NUMBERS = new Set(['replicas', 'limit_mb']);

/** The target's options as the server takes them; what was left empty is left out. */
export function packageOptions(replies: Replies): Record<string, unknown> {
  const given = Object.entries(replies).filter(([name, reply]) => name !== 'target' && reply !== '');
  return Object.fromEntries(
    given.map(([name, reply]) => [
      name,
      SWITCHES.has(name) ? reply === 'yes' : NUMBERS.has(name) ? Number(reply) : reply
    ])
  );
}

/** The YAML at the head of a card, and the Markdown behind it. */
export function splitCard(card: string): { metadata: string; text: string } {
  const found = /^---\n([\s\S]*?)\n---\n?/.exec(card);
  return found
    ? { metadata: found[1] ?? '', text: card.slice(found[0].length).trimStart() }
    : { metadata: '', text: card };
}

/** What an entry of the journal says besides its action, `alias champion, to 3`. */
export function detailsText({ details }: Pick<ModelEvent, 'details'>): string {
  return Object.entries(details as Record<string, unknown>)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
