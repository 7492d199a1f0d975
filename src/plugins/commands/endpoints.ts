/** Commands on endpoints. */
import { StudioError } from '../../api/client';
import type { IssuedKeys, ScoreRequest } from '../../api/types';
import { showForm } from '../../panels/dialog';
import { showKeys } from '../../panels/keys';
import { CommandIDs } from '../../tokens';
import { deleteText, regenerateText, restartText, stopText } from '../../views/endpoints/consequences';
import type { DeployRequest } from '../../views/endpoints/deploy';
import type { KeyReplacement } from '../../views/endpoints/keyform';
import { endpointIcon } from '../../views/common/icons';
import { type Workbench, add } from './add';
import { askLines, confirmed } from './ask';
import { MODEL, VERSION } from './reviews';

const ENDPOINT = {
  type: 'string',
  description: 'Name of the endpoint',
  required: true,
  from: 'endpoint'
} as const;

export function addEndpointCommands({ app, studio, execute }: Workbench): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.deploy,
    label: 'Deploy …',
    caption: 'Serve a model version at an endpoint, or score data sets with it',
    icon: endpointIcon,
    args: { model: MODEL, version: { ...VERSION, required: false } },
    execute: async args => {
      const { DeployForm } = await import('../../views/endpoints');
      const deploy = async ({ batch, ...body }: DeployRequest): Promise<IssuedKeys | string> => {
        if (!batch) {
          return client.createEndpoint(body);
        }
        const { name, model, version } = body;
        return (await client.batch.create({ name, model: model ?? '', version: version ?? 'latest' })).name;
      };
      const made = await showForm<DeployRequest, IssuedKeys | string>({
        title: 'Deploy',
        action: 'Deploy',
        studio,
        execute,
        Form: DeployForm,
        initial: { model: args.need('model'), version: args.text('version') ?? 'latest' },
        submit: deploy
      });
      if (typeof made === 'string') {
        await execute(CommandIDs.openBatch, { name: made });
        return made;
      }
      if (made) {
        await execute(CommandIDs.openEndpoint, { name: made.endpoint.name });
        await showKeys(made, execute);
      }
      return made?.endpoint.name;
    }
  });
  add(app, {
    id: CommandIDs.stopEndpoint,
    label: 'Stop',
    caption: 'Stop the processes of an endpoint; name, keys and port stay',
    args: { name: ENDPOINT },
    visible: row => row['status'] === 'Ready' || row['status'] === 'Starting',
    execute: async args => {
      const name = args.need('name');
      if (await confirmed('Stop endpoint', stopText(await client.getEndpoint(name)), 'Stop')) {
        studio.endpoint(name).accept(await client.stopEndpoint(name));
      }
    }
  });
  add(app, {
    id: CommandIDs.restartEndpoint,
    label: 'Restart',
    caption: 'Start an endpoint again, stopping it first when it runs',
    args: { name: ENDPOINT },
    execute: async args => {
      const name = args.need('name');
      const now = await client.getEndpoint(name);
      const runs = now.state === 'Ready' || now.state === 'Starting';
      if (!runs || (await confirmed('Restart endpoint', restartText(now), 'Restart'))) {
        studio.endpoint(name).accept(await client.restartEndpoint(name));
      }
    }
  });
  add(app, {
    id: CommandIDs.scoreEndpoint,
    label: 'Score',
    caption: 'Send a scoring request of the Open Inference Protocol V2 to an endpoint',
    args: {
      name: ENDPOINT,
      request: { type: 'object', description: 'The inference request', required: true },
      deployment: { type: 'string', description: 'The one deployment to ask' }
    },
    execute: async args => {
      try {
        const request = args.get('request') as ScoreRequest;
        return { answer: await client.scoreEndpoint(args.need('name'), request, args.text('deployment')) };
      } catch (why) {
        const { code, message, status } = StudioError.from(why);
        return { error: { code, message, status } };
      }
    }
  });
  add(app, {
    id: CommandIDs.regenerateKey,
    label: 'Replace key …',
    caption: 'Replace one of the two keys of an endpoint; the other goes on working',
    args: {
      name: ENDPOINT,
      key: { type: 'string', description: 'primary or secondary', required: true }
    },
    execute: async args => {
      const [name, key] = [args.need('name'), args.need('key')];
      const { KeyForm } = await import('../../views/endpoints');
      const issued = await showForm<KeyReplacement, IssuedKeys>({
        title: `Replace the ${key} key`,
        action: 'Replace',
        studio,
        Form: KeyForm,
        initial: { note: regenerateText(await client.getEndpoint(name), key) },
        submit: ({ expires_at: end }) => client.regenerateKey(name, key, end)
      });
      if (issued) {
        studio.endpoint(name).accept(issued.endpoint);
        await showKeys(issued, execute);
      }
    }
  });
  add(app, {
    id: CommandIDs.describeEndpoint,
    label: 'Describe …',
    caption: 'Change the description of an endpoint',
    args: { name: ENDPOINT, description: { type: 'string', description: 'The new description' } },
    execute: async args => {
      const name = args.need('name');
      const now = await client.getEndpoint(name);
      const description =
        args.text('description') ?? (await askLines(studio, 'Describe endpoint', now.description));
      if (description !== undefined) {
        studio.endpoint(name).accept(await client.updateEndpoint(name, { description }, now.etag));
      }
    }
  });
  add(app, {
    id: CommandIDs.deleteEndpoint,
    label: 'Delete …',
    caption: 'Stop and delete an endpoint; its model versions stay',
    args: { name: ENDPOINT },
    execute: async args => {
      const name = args.need('name');
      const text = deleteText(await client.getEndpoint(name));
      if (await confirmed('Delete endpoint', text, 'Delete')) {
        await client.deleteEndpoint(name);
      }
    }
  });
}
