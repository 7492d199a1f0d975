/** Commands on registered models. */
import type { Model, NewVersion } from '../../api/types';
import { showForm } from '../../panels/dialog';
import { CommandIDs } from '../../tokens';
import { deleteModelText, deleteVersionText } from '../../views/models/consequences';
import { aliasError } from '../../views/models/names';
import { type Question, reasonQuestion } from '../../views/models/questions';
import { modelIcon } from '../../views/common/icons';
import { type Workbench, add } from './add';
import { askLines, confirmed } from './ask';
import { MODEL, VERSION, ask } from './reviews';

export function addModelCommands({ app, studio, execute }: Workbench): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.registerModel,
    label: 'Register …',
    caption: 'Register the model of a run: copied, hashed, converted to ONNX and compared with the original',
    icon: modelIcon,
    args: {
      runId: { type: 'string', description: 'Id of the run', required: true, from: 'run' },
      path: { type: 'string', description: "The model's folder below the run's artifacts" },
      threshold: { type: 'number', description: 'Decision threshold of a binary classifier' },
      positiveLabel: { type: 'string', description: 'The class that the threshold is about' }
    },
    visible: row => row['status'] === 'Completed',
    execute: async args => {
      const { RegisterForm } = await import('../../views/models');
      const path = args.text('path');
      const threshold = args.number('threshold');
      const positive = args.text('positiveLabel');
      const version = await showForm<NewVersion, Awaited<ReturnType<typeof client.registerModel>>>({
        title: 'Register model',
        action: 'Register',
        studio,
        execute,
        Form: RegisterForm,
        initial: {
          run_id: args.need('runId'),
          ...(path ? { path } : {}),
          ...(threshold === undefined ? {} : { threshold }),
          ...(positive === undefined ? {} : { positive_label: positive })
        },
        submit: client.registerModel
      });
      if (version) {
        await execute(CommandIDs.openModel, { name: version.model, version: version.version });
      }
      return version ? { name: version.model, version: version.version } : undefined;
    }
  });
  add(app, {
    id: CommandIDs.describeModel,
    label: 'Describe …',
    caption: 'Change the description of a model',
    args: { name: MODEL, description: { type: 'string', description: 'The new description' } },
    execute: async args => {
      const name = args.need('name');
      const old = args.has('description') ? '' : (await client.getModel(name)).description;
      const description = args.text('description') ?? (await askLines(studio, 'Describe model', old));
      if (description !== undefined) {
        studio.model(name).accept(await client.updateModel(name, { description }));
      }
    }
  });
  add(app, {
    id: CommandIDs.describeVersion,
    label: 'Describe …',
    caption: 'Change description or tags of a model version',
    args: {
      name: MODEL,
      version: VERSION,
      description: { type: 'string', description: 'The new description' },
      tags: { type: 'object', description: 'Tags to set; null removes one' }
    },
    execute: async args => {
      const [name, version] = [args.need('name'), args.need('version')];
      const tags = args.get('tags') as Record<string, string | null> | undefined;
      const now = await client.getVersion(name, version);
      const description =
        args.text('description') ??
        (tags ? undefined : await askLines(studio, 'Describe version', now.description));
      if (description !== undefined || tags) {
        const change = { ...(description === undefined ? {} : { description }), ...(tags ? { tags } : {}) };
        studio.version(name, version).accept(await client.updateVersion(name, version, change, now.etag));
      }
    }
  });
  add(app, {
    id: CommandIDs.setAlias,
    label: 'Set alias …',
    caption: 'Point an alias, such as champion, at a version',
    args: {
      name: MODEL,
      version: VERSION,
      alias: { type: 'string', description: 'The alias' }
    },
    execute: async args => {
      const name = args.need('name');
      const version = Number(args.need('version'));
      const [{ protected_aliases: guarded }, given] = [await client.getModel(name), args.text('alias')];
      const move = (alias: string, reason: string): Promise<Model> =>
        client.setAlias(name, alias, version, reason);
      const done =
        given !== undefined && !guarded.includes(given)
          ? await move(given, '')
          : await ask(
              studio,
              {
                title: `Alias for version ${version}`,
                action: 'Set',
                questions: [aliasQuestion(), guardedReason(guarded)],
                initial: { alias: given ?? '' }
              },
              replies => move(replies['alias'] ?? '', replies['reason'] ?? '')
            );
      if (done) {
        studio.model(name).accept(done);
      }
    }
  });
  add(app, {
    id: CommandIDs.deleteAlias,
    label: 'Remove alias',
    caption: 'Remove an alias; the version stays',
    args: { name: MODEL, alias: { type: 'string', description: 'The alias', required: true } },
    execute: async args => {
      const [name, alias] = [args.need('name'), args.need('alias')];
      const { protected_aliases: guarded } = await client.getModel(name);
      const done = !guarded.includes(alias)
        ? await client.deleteAlias(name, alias)
        : await ask(
            studio,
            {
              title: `Remove the alias ${alias}`,
              action: 'Remove',
              note: `${alias} is protected: the journal keeps why it was removed.`,
              questions: [reasonQuestion(true, 'Kept in the journal with your name.')]
            },
            replies => client.deleteAlias(name, alias, replies['reason'])
          );
      if (done) {
        studio.model(name).accept(done);
      }
    }
  });
  add(app, {
    id: CommandIDs.deleteModel,
    label: 'Delete …',
    caption: 'Delete a model and its versions; refused while something uses one',
    args: { name: MODEL },
    execute: async args => {
      const name = args.need('name');
      const [model, users] = await Promise.all([client.getModel(name), client.listModelUsers(name)]);
      if (await confirmed('Delete model', deleteModelText(model, users), 'Delete')) {
        await client.deleteModel(name);
      }
    }
  });
  add(app, {
    id: CommandIDs.deleteVersion,
    label: 'Delete version …',
    caption: 'Delete a version; refused while something uses it',
    args: { name: MODEL, version: VERSION },
    execute: async args => {
      const [name, version] = [args.need('name'), args.need('version')];
      const [one, users] = await Promise.all([
        client.getVersion(name, version),
        client.listVersionUsers(name, version)
      ]);
      if (await confirmed('Delete version', deleteVersionText(one, users), 'Delete')) {
        await client.deleteVersion(name, one.version);
      }
    }
  });
}

function aliasQuestion(): Question {
  return {
    name: 'alias',
    label: 'Alias',
    hint: 'A name that points at this version; it moves from the version that has it.',
    placeholder: 'champion',
    problem: reply => (reply.trim() === '' ? 'An alias needs a name.' : aliasError(reply))
  };
}

/** Asked where the alias is protected. */
function guardedReason(guarded: readonly string[]): Question {
  const question = reasonQuestion(true, 'This alias is protected: the journal keeps why it was moved.');
  return { ...question, when: replies => guarded.includes((replies['alias'] ?? '').trim()) };
}
