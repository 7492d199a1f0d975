/** Commands on what is decided about registered models: approval, stage, archive, aliases, threshold, package. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ModelVersion, Stage } from '../../api/types';
import { showForm } from '../../panels/dialog';
import { CommandIDs } from '../../tokens';
import { modelIcon } from '../../views/common/icons';
import { modelNameError } from '../../views/models/names';
import { type Question, type Replies, questionForm, reasonQuestion } from '../../views/models/questions';
import {
  PACKAGE_QUESTIONS,
  STAGES,
  type Verdict,
  aliasNames,
  packageOptions,
  thresholdProblem,
  verdictNote
} from '../../views/models/reviews';
import { type Workbench, add } from './add';
import { showCard } from './card';

export const MODEL = {
  type: 'string',
  description: 'Name of the model',
  required: true,
  from: 'model'
} as const;
export const VERSION = {
  type: 'string',
  description: 'Version: a number, an alias or latest',
  required: true,
  from: 'version'
} as const;
const REASON = { type: 'string', description: 'Why; asked for when it is left out' } as const;

/** Asks the questions and sends the answers; undefined when given up. */
export function ask<R>(
  studio: Workbench['studio'],
  form: { title: string; action: string; note?: string; questions: readonly Question[]; initial?: Replies },
  submit: (replies: Replies) => Promise<R>
): Promise<R | undefined> {
  return showForm<Replies, R>({
    title: form.title,
    action: form.action,
    studio,
    Form: questionForm(form.questions, form.note),
    initial: form.initial ?? {},
    submit
  });
}

export function addReviewCommands(bench: Workbench, rendermime: IRenderMimeRegistry | null): void {
  addVersionReviews(bench);
  addArchiveCommands(bench);
  addModelSettings(bench);
  addOutputs(bench, rendermime);
}

function addVersionReviews({ app, studio, execute }: Workbench): void {
  const { client } = studio;
  const took = (version: ModelVersion | undefined): void => {
    if (version) {
      studio.version(version.model, version.version).accept(version);
    }
  };
  add(app, {
    id: CommandIDs.decideVersion,
    label: 'Approve or reject …',
    caption: 'Decide about a model version; who, when and why stand in the journal',
    args: {
      name: MODEL,
      version: VERSION,
      status: { type: 'string', description: 'Approved, Rejected or Pending', required: true },
      reason: REASON
    },
    execute: async args => {
      const name = args.need('name');
      const { version } = await client.getVersion(name, args.need('version'));
      const status = args.need('status') as Verdict;
      const reason = args.text('reason');
      const decide = (why: string): Promise<ModelVersion> =>
        client.decide(name, version, { status, reason: why });
      const verb = status === 'Approved' ? 'Approve' : status === 'Rejected' ? 'Reject' : 'Take back';
      took(
        reason !== undefined
          ? await decide(reason)
          : await ask(
              studio,
              {
                title: `${verb} version ${version}`,
                action: verb,
                note: verdictNote(status),
                questions: [reasonQuestion(status !== 'Pending', 'Kept in the journal with your name.')]
              },
              replies => decide(replies['reason'] ?? '')
            )
      );
    }
  });
  add(app, {
    id: CommandIDs.setStage,
    label: 'Set stage …',
    caption: 'Move a model version to a stage',
    args: {
      name: MODEL,
      version: VERSION,
      stage: { type: 'string', description: `One of ${STAGES.join(', ')}` },
      reason: REASON
    },
    execute: async args => {
      const name = args.need('name');
      const now = await client.getVersion(name, args.need('version'));
      const move = (stage: string, reason: string): Promise<ModelVersion> =>
        client.setStage(name, now.version, { stage: stage as Stage, reason });
      const stage = args.text('stage');
      took(
        stage !== undefined
          ? await move(stage, args.text('reason') ?? '')
          : await ask(
              studio,
              {
                title: `Stage of version ${now.version}`,
                action: 'Move',
                questions: [
                  { name: 'stage', label: 'Stage', kind: 'choice', choices: STAGES },
                  reasonQuestion(false, 'Kept in the journal with your name.')
                ],
                initial: { stage: STAGES.includes(now.stage) ? now.stage : 'None' }
              },
              replies => move(replies['stage'] ?? 'None', replies['reason'] ?? '')
            )
      );
    }
  });
  add(app, {
    id: CommandIDs.setThreshold,
    label: 'Set threshold …',
    caption: 'Register the version again with another decision threshold in its graph',
    args: { name: MODEL, version: VERSION, threshold: { type: 'number', description: 'From 0 to 1' } },
    execute: async args => {
      const name = args.need('name');
      const now = await client.getVersion(name, args.need('version'));
      const given = args.number('threshold');
      const made =
        given !== undefined
          ? await client.setThreshold(name, now.version, given)
          : await ask(
              studio,
              {
                title: 'Set threshold',
                action: 'Register',
                note: `Makes the next version of ${name} from the files of version ${now.version}, which stays as it is.`,
                questions: [
                  {
                    name: 'threshold',
                    label: 'Threshold',
                    hint: `From this probability on it answers ${now.signature?.labels[1] ?? 'its second class'}.`,
                    placeholder: '0.5',
                    problem: thresholdProblem
                  }
                ],
                initial: { threshold: String(now.threshold?.threshold ?? '') }
              },
              replies => client.setThreshold(name, now.version, Number(replies['threshold']))
            );
      if (made) {
        await execute(CommandIDs.openModel, { name, version: made.version });
      }
      return made?.version;
    }
  });
}

function addArchiveCommands({ app, studio }: Workbench): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.archiveVersion,
    label: 'Archive version …',
    caption: 'Hide a version; it cannot be deployed anew nor get an alias',
    args: { name: MODEL, version: VERSION, reason: REASON },
    execute: async args => {
      const name = args.need('name');
      const { version } = await client.getVersion(name, args.need('version'));
      const reason = args.text('reason');
      const done =
        reason !== undefined
          ? await client.archiveVersion(name, version, reason)
          : await ask(
              studio,
              {
                title: `Archive version ${version}`,
                action: 'Archive',
                note: 'It is hidden, is not deployed anew and gets no alias. What serves it goes on. It can be restored.',
                questions: [reasonQuestion(false, 'Kept in the journal with your name.')]
              },
              replies => client.archiveVersion(name, version, replies['reason'])
            );
      if (done) {
        studio.version(name, version).accept(done);
      }
    }
  });
  add(app, {
    id: CommandIDs.restoreVersion,
    label: 'Restore version',
    caption: 'Bring an archived version back into the stage that it had',
    args: { name: MODEL, version: VERSION },
    execute: async args => {
      const name = args.need('name');
      const { version } = await client.getVersion(name, args.need('version'));
      studio.version(name, version).accept(await client.restoreVersion(name, version));
    }
  });
  add(app, {
    id: CommandIDs.archiveModel,
    label: 'Archive model …',
    caption: 'Hide a model with its versions; refused while something is served',
    args: { name: MODEL },
    execute: async args => {
      const name = args.need('name');
      const done = await ask(
        studio,
        {
          title: 'Archive model',
          action: 'Archive',
          note: `${name} and its versions leave the lists; nothing is deleted.`,
          questions: [reasonQuestion(false, 'Kept in the journal with your name.')]
        },
        replies => client.archiveModel(name, replies['reason'])
      );
      if (done) {
        studio.model(name).accept(done);
      }
    }
  });
  add(app, {
    id: CommandIDs.restoreModel,
    label: 'Restore model',
    caption: 'Bring an archived model back',
    args: { name: MODEL },
    execute: async args => {
      const name = args.need('name');
      studio.model(name).accept(await client.restoreModel(name));
    }
  });
}

function addModelSettings({ app, studio, execute }: Workbench): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.renameModel,
    label: 'Rename …',
    caption: 'Give a model another name; refused while something is served under the old one',
    args: { name: MODEL, to: { type: 'string', description: 'The new name' } },
    execute: async args => {
      const name = args.need('name');
      const to = args.text('to');
      const done =
        to !== undefined
          ? await client.renameModel(name, to)
          : await ask(
              studio,
              {
                title: 'Rename model',
                action: 'Rename',
                questions: [{ name: 'to', label: 'Name', problem: modelNameError }],
                initial: { to: name }
              },
              replies => client.renameModel(name, replies['to'] ?? name)
            );
      if (done) {
        await execute(CommandIDs.openModel, { name: done.name });
      }
    }
  });
  add(app, {
    id: CommandIDs.protectAliases,
    label: 'Protected aliases …',
    caption: 'Choose the aliases that are moved or removed only for a reason',
    args: { name: MODEL, aliases: { type: 'array', description: 'The protected aliases' } },
    execute: async args => {
      const name = args.need('name');
      const save = async (aliases: string[]): Promise<void> => {
        studio.model(name).accept(await client.updateModel(name, { protected_aliases: aliases }));
      };
      if (args.has('aliases')) {
        return save(args.list('aliases'));
      }
      const now = await client.getModel(name);
      return ask(
        studio,
        {
          title: 'Protected aliases',
          action: 'Save',
          note: 'A protected alias is moved or removed only for a reason, and never to a rejected version.',
          questions: [
            {
              name: 'aliases',
              label: 'Aliases',
              hint: 'Separated by commas.',
              placeholder: 'champion, production'
            }
          ],
          initial: { aliases: now.protected_aliases.join(', ') }
        },
        replies => save(aliasNames(replies['aliases'] ?? ''))
      );
    }
  });
}

function addOutputs({ app, studio, execute }: Workbench, rendermime: IRenderMimeRegistry | null): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.packageVersion,
    label: 'Package …',
    caption: 'Make a bundle, an OCI image, Kubernetes files or an edge package of a version, in a run',
    icon: modelIcon,
    args: {
      name: MODEL,
      version: VERSION,
      target: { type: 'string', description: 'local, docker, kubernetes, edge, or a plugin of yours' },
      options: { type: 'object', description: "The target's options" }
    },
    execute: async args => {
      const [name, version, target] = [args.need('name'), args.need('version'), args.text('target')];
      const run =
        target !== undefined
          ? await client.packageVersion(
              name,
              version,
              target,
              (args.get('options') ?? {}) as Record<string, unknown>
            )
          : await ask(
              studio,
              {
                title: `Package ${name} ${version}`,
                action: 'Package',
                note: 'A run makes the package; it becomes an artifact of that run. Nothing is pushed anywhere.',
                questions: PACKAGE_QUESTIONS,
                initial: { target: 'local', build: 'no', packages: 'yes' }
              },
              replies =>
                client.packageVersion(name, version, replies['target'] ?? 'local', packageOptions(replies))
            );
      if (run) {
        await execute(CommandIDs.openRun, { id: run.id });
      }
      return run?.id;
    }
  });
  add(app, {
    id: CommandIDs.downloadVersion,
    label: 'Download as ZIP',
    caption: 'Download all files of a version with their digests',
    args: { name: MODEL, version: VERSION },
    execute: async args => {
      const [name, version] = [args.need('name'), args.need('version')];
      const url = client.url(['models', name, 'versions', version, 'archive.zip']);
      await execute(CommandIDs.download, { url, name: `${name}-${version}.zip` });
    }
  });
  add(app, {
    id: CommandIDs.showCard,
    label: 'Show card',
    caption: "Open a version's model card",
    args: { name: MODEL, version: VERSION },
    execute: async args => {
      const [name, version] = [args.need('name'), args.need('version')];
      const { text } = await client.getModelCard(name, version);
      return showCard(app, rendermime, `${name} v${version}`, text);
    }
  });
}
