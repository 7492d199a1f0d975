/** Commands on the graphs of model versions: made smaller, made newer, measured. */
import type { Derivation, ModelVersion } from '../../api/types';
import { CommandIDs } from '../../tokens';
import { readBatches } from '../../views/models/batches';
import type { Question } from '../../views/models/questions';
import { type Workbench, add } from './add';
import { MODEL, VERSION, ask } from './reviews';

const BATCHES = '1, 10, 100, 1000';

const QUESTIONS: Record<
  Derivation['kind'],
  { title: string; action: string; note: string; questions: Question[] }
> = {
  quantise: {
    title: 'Quantise',
    action: 'Quantise',
    note: 'Makes the next version, with weights as 8-bit integers: smaller, often faster. It is compared with the original anew, and refused where it answers otherwise.',
    questions: []
  },
  upgrade: {
    title: 'Upgrade opset',
    action: 'Upgrade',
    note: 'Makes the next version, with the standard operators of a newer opset. It is compared with the original anew.',
    questions: [
      {
        name: 'opset',
        label: 'Opset (optional)',
        hint: 'The newest that the studio knows when left empty.',
        placeholder: '21',
        problem: text =>
          text.trim() === '' || (/^\d+$/.test(text.trim()) && Number(text) >= 7 && Number(text) <= 100)
            ? null
            : 'A whole number from 7 to 100.'
      }
    ]
  }
};

export function addGraphCommands(bench: Workbench): void {
  const { app, studio, execute } = bench;
  const { client } = studio;
  add(app, {
    id: CommandIDs.deriveVersion,
    label: 'Quantise or upgrade …',
    caption: 'Make a version with 8-bit weights or a newer opset, compared with the original anew',
    args: {
      name: MODEL,
      version: VERSION,
      kind: { type: 'string', description: 'quantise or upgrade', required: true },
      opset: { type: 'number', description: 'The opset to upgrade to' }
    },
    execute: async args => {
      const [name, version] = [args.need('name'), args.need('version')];
      const kind = args.need('kind') === 'upgrade' ? 'upgrade' : 'quantise';
      const derive = (opset: number | undefined): Promise<ModelVersion> =>
        client.graphs.derive(name, version, { kind, ...(opset === undefined ? {} : { opset }) });
      const given = args.number('opset');
      const made =
        given !== undefined
          ? await derive(given)
          : await ask(studio, QUESTIONS[kind], replies =>
              derive(replies['opset'] ? Number(replies['opset']) : undefined)
            );
      if (made) {
        await execute(CommandIDs.openModel, { name, version: made.version });
      }
      return made?.version;
    }
  });
  add(app, {
    id: CommandIDs.profileVersion,
    label: 'Profile …',
    caption: 'Measure latency and memory of a version over batch sizes and threads',
    args: {
      name: MODEL,
      version: VERSION,
      batches: { type: 'array', description: 'Numbers of rows of a request; asked for when left out' }
    },
    execute: async args => {
      const name = args.need('name');
      const { version } = await client.getVersion(name, args.need('version'));
      const given = args.has('batches') ? args.list('batches').map(Number) : undefined;
      const run = given
        ? await client.graphs.profile(name, version, given)
        : await ask(
            studio,
            {
              title: `Profile version ${version}`,
              action: 'Profile',
              note: 'Takes some seconds for each number of rows and threads; the machine should be idle meanwhile.',
              questions: [
                {
                  name: 'batches',
                  label: 'Rows of a request',
                  hint: 'Up to 12 numbers, each at most 100,000.',
                  problem: text =>
                    readBatches(text) === null ? 'Numbers from 1 to 100,000 with commas between them.' : null
                }
              ],
              initial: { batches: BATCHES }
            },
            replies => client.graphs.profile(name, version, readBatches(replies['batches'] ?? '') ?? [])
          );
      if (run) {
        await studio.profiles(name, version).refresh();
      }
      return run?.id;
    }
  });
}
