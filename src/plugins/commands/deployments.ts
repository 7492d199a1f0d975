/** Commands on the deployments of an endpoint: add, swap, set, share the traffic, release as a canary. */
import { StudioError } from '../../api/client';
import type { Endpoint, NewCanary, NewDeployment } from '../../api/types';
import { showForm } from '../../panels/dialog';
import { CommandIDs } from '../../tokens';
import type { SettingsRequest } from '../../views/endpoints/settingsform';
import { headerError } from '../../views/endpoints/sticky';
import { type Workbench, add } from './add';
import { confirmed } from './ask';
import { ask } from './reviews';

const ENDPOINT = {
  type: 'string',
  description: 'Name of the endpoint',
  required: true,
  from: 'endpoint'
} as const;
const DEPLOYMENT = { type: 'string', description: 'Name of the deployment', required: true } as const;

export function addDeploymentCommands(bench: Workbench): void {
  const { app, studio } = bench;
  const { client } = studio;
  add(app, {
    id: CommandIDs.addDeployment,
    label: 'Add deployment …',
    caption:
      'Serve another model version behind the same endpoint; it gets no requests until it is given a share',
    args: { name: ENDPOINT },
    execute: async args => {
      const { DeploymentForm } = await import('../../views/endpoints');
      const name = args.need('name');
      const now = await client.getEndpoint(name);
      const taken = now.deployments.map(one => one.name);
      const changed = await showForm({
        title: `Add a deployment to ${name}`,
        action: 'Add',
        studio,
        Form: DeploymentForm,
        initial: {
          name: taken.length === 0 ? 'blue' : taken.includes('green') ? '' : 'green',
          model: now.deployments[0]?.model ?? '',
          taken
        },
        submit: ({ taken: _, ...body }: NewDeployment & { taken: readonly string[] | null }) =>
          client.addDeployment(name, body)
      });
      if (changed) {
        studio.endpoint(name).accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.changeDeployment,
    label: 'Swap version …',
    caption: 'Serve another version; new processes take over when they are ready, and no request fails',
    args: {
      name: ENDPOINT,
      deployment: DEPLOYMENT,
      version: { type: 'string', description: 'The version to serve' }
    },
    execute: async args => {
      const { DeploymentForm } = await import('../../views/endpoints');
      const [name, deployment] = [args.need('name'), args.need('deployment')];
      const version = args.text('version');
      if (version !== undefined) {
        studio.endpoint(name).accept(await client.changeDeployment(name, deployment, { version }));
        return;
      }
      const one = (await client.getEndpoint(name)).deployments.find(each => each.name === deployment);
      const changed = await showForm({
        title: `Swap the version of ${deployment}`,
        action: 'Swap',
        studio,
        Form: DeploymentForm,
        initial: {
          name: deployment,
          model: one?.model ?? '',
          version: String(one?.version ?? 'latest'),
          taken: null
        },
        submit: (value: NewDeployment) =>
          client.changeDeployment(name, deployment, {
            model: value.model,
            version: value.version ?? 'latest'
          })
      });
      if (changed) {
        studio.endpoint(name).accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.setDeployment,
    label: 'Deployment settings …',
    caption: 'Change processes, timeouts, limits, probes and data collector of a deployment',
    args: {
      name: ENDPOINT,
      deployment: DEPLOYMENT,
      settings: { type: 'object', description: 'Settings to change, by group; asked for when left out' }
    },
    execute: async args => {
      const [name, deployment] = [args.need('name'), args.need('deployment')];
      const given = args.get('settings') as SettingsRequest['settings'] | undefined;
      const set = (settings: SettingsRequest['settings']): Promise<Endpoint> =>
        client.changeDeployment(name, deployment, { settings });
      const changed = given ? await set(given) : await askSettings(bench, name, deployment, set);
      if (changed) {
        studio.endpoint(name).accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.restartDeployment,
    label: 'Restart deployment',
    caption: 'Start the processes of a deployment anew; the old ones answer until the new ones do',
    args: { name: ENDPOINT, deployment: DEPLOYMENT },
    execute: async args => {
      const [name, deployment] = [args.need('name'), args.need('deployment')];
      studio.endpoint(name).accept(await client.changeDeployment(name, deployment, { restart: true }));
    }
  });
  add(app, {
    id: CommandIDs.removeDeployment,
    label: 'Remove deployment …',
    caption: 'Remove a deployment that gets no requests; the model version stays',
    args: { name: ENDPOINT, deployment: DEPLOYMENT },
    execute: async args => {
      const [name, deployment] = [args.need('name'), args.need('deployment')];
      const text = `Removes ${deployment} from ${name} with its processes; the model version stays registered.`;
      if (await confirmed('Remove deployment', text, 'Remove')) {
        studio.endpoint(name).accept(await client.removeDeployment(name, deployment));
      }
    }
  });
  add(app, {
    id: CommandIDs.shareTraffic,
    label: 'Share the traffic',
    caption: 'Give each deployment its share of the requests, and of copies of them, in percent',
    args: {
      name: ENDPOINT,
      traffic: { type: 'object', description: 'Percent by deployment; they add up to 100' },
      mirror: { type: 'object', description: 'Percent of the requests of which a deployment gets copies' }
    },
    execute: async args => {
      const name = args.need('name');
      const traffic = args.get('traffic') as Record<string, number> | undefined;
      const mirror = args.get('mirror') as Record<string, number> | undefined;
      const change = { ...(traffic ? { traffic } : {}), ...(mirror ? { mirror_traffic: mirror } : {}) };
      studio.endpoint(name).accept(await client.updateEndpoint(name, change));
    }
  });
  add(app, {
    id: CommandIDs.setStickyHeader,
    label: 'Sticky header …',
    caption: 'Requests with the same value of a header go to the same deployment',
    args: { name: ENDPOINT, header: { type: 'string', description: 'The header; empty for none' } },
    execute: async args => {
      const name = args.need('name');
      const set = (header: string): Promise<Endpoint> =>
        client.updateEndpoint(name, { sticky_header: header });
      const header = args.text('header');
      const now = header === undefined ? (await client.getEndpoint(name)).sticky_header : '';
      const changed =
        header !== undefined
          ? await set(header)
          : await ask(
              studio,
              {
                title: 'Sticky header',
                action: 'Save',
                note: 'Requests with the same value of this header go to the same deployment, as long as the shares stay.',
                questions: [
                  {
                    name: 'header',
                    label: 'Header',
                    hint: 'Leave it empty for none.',
                    placeholder: 'X-Session-Id',
                    problem: headerError
                  }
                ],
                initial: { header: now }
              },
              replies => set(replies['header'] ?? '')
            );
      if (changed) {
        studio.endpoint(name).accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.startCanary,
    label: 'Start canary release …',
    caption:
      'Let a deployment take the requests over step by step, and give them back by itself when it is worse',
    args: { name: ENDPOINT },
    execute: async args => {
      const { CanaryForm } = await import('../../views/endpoints');
      const name = args.need('name');
      const changed = await showForm({
        title: 'Canary release',
        action: 'Start',
        studio,
        Form: CanaryForm,
        initial: { name },
        submit: ({ name: _, ...body }: NewCanary & { name: string }) => client.startCanary(name, body)
      });
      if (changed) {
        studio.endpoint(name).accept(changed);
      }
    }
  });
  add(app, {
    id: CommandIDs.stopCanary,
    label: 'Stop canary release …',
    caption: 'Stop a canary release and give the requests back to those that had them',
    args: { name: ENDPOINT },
    execute: async args => {
      const name = args.need('name');
      const text = 'Stops the release; the requests go back to the deployments that had them before.';
      if (await confirmed('Stop canary release', text, 'Stop')) {
        studio.endpoint(name).accept(await client.stopCanary(name));
      }
    }
  });
}

/** Asks for settings in a form of all of them. */
async function askSettings(
  { studio }: Workbench,
  name: string,
  deployment: string,
  set: (settings: SettingsRequest['settings']) => Promise<Endpoint>
): Promise<Endpoint | undefined> {
  const { DeploymentSettingsForm } = await import('../../views/endpoints');
  const one = (await studio.client.getEndpoint(name)).deployments.find(each => each.name === deployment);
  if (!one) {
    throw new StudioError('not_found', `${name} has no deployment ${deployment}.`, 404);
  }
  return showForm<SettingsRequest, Endpoint>({
    title: `Settings of ${deployment}`,
    action: 'Save',
    studio,
    Form: DeploymentSettingsForm,
    initial: { deployment: one },
    submit: ({ settings }) => set(settings)
  });
}
