/** Commands on batch endpoints: score a data set, change what scores, delete. */
import { StudioError } from '../../api/client';
import type { BatchEndpoint, Run } from '../../api/types';
import { showForm } from '../../panels/dialog';
import { CommandIDs } from '../../tokens';
import { answersAmong } from '../../views/batch/answers';
import type { BatchDeploymentRequest } from '../../views/batch/deploymentform';
import type { ScoreRequest } from '../../views/batch/scoreform';
import { batchDraft } from '../../views/batch/settings';
import { runIcon } from '../../views/common/icons';
import { plural } from '../../views/common/format';
import { type Workbench, add } from './add';
import { askLines, confirmed } from './ask';
import { submitted } from './runs';

const BATCH = {
  type: 'string',
  description: 'Name of the batch endpoint',
  required: true,
  from: 'batch'
} as const;
const DEPLOYMENT = { type: 'string', description: 'Name of the deployment', required: true } as const;

export function addBatchCommands(bench: Workbench): void {
  addJobs(bench);
  addDeployments(bench);
  addOthers(bench);
}

function addJobs({ app, studio, execute }: Workbench): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.scoreBatch,
    label: 'Score a data set …',
    caption: 'Score a file, a folder or a pattern of files with a batch endpoint, as a run',
    icon: runIcon,
    args: {
      name: BATCH,
      data: { type: 'string', description: 'The data; asked for when left out' },
      deployment: { type: 'string', description: 'The deployment, instead of the default one' }
    },
    execute: async args => {
      const name = args.need('name');
      const data = args.text('data');
      const deployment = args.text('deployment');
      const { ScoreForm } = await import('../../views/batch');
      const run =
        data !== undefined
          ? await client.batch.invoke(name, { data, ...(deployment ? { deployment } : {}) })
          : await showForm<ScoreRequest, Run>({
              title: `Score a data set with ${name}`,
              action: 'Score',
              studio,
              Form: ScoreForm,
              initial: { endpoint: await client.batch.read(name) },
              submit: ({ request }) => client.batch.invoke(name, request)
            });
      if (run) {
        submitted(execute, run.id, run.name);
        void studio.batchJobs(name).refresh();
      }
      return run?.id;
    }
  });
  add(app, {
    id: CommandIDs.downloadAnswers,
    label: 'Download answers',
    caption: 'Download what a batch job answered',
    args: { id: { type: 'string', description: 'Id of the run', required: true } },
    execute: async args => {
      const id = args.need('id');
      const { entries } = await client.listArtifacts(id);
      const path = answersAmong(entries.filter(one => one.kind === 'file').map(one => one.path));
      if (path === undefined) {
        throw new StudioError('not_found', 'The job left no answers.', 404);
      }
      await execute(CommandIDs.download, { runId: id, path });
    }
  });
}

function addDeployments({ app, studio }: Workbench): void {
  const { client } = studio;
  const took = (endpoint: BatchEndpoint | undefined): void => {
    if (endpoint) {
      studio.batchEndpoint(endpoint.name).accept(endpoint);
    }
  };
  const askDeployment = async (
    title: string,
    action: string,
    endpoint: string,
    initial: Partial<BatchDeploymentRequest>
  ): Promise<void> => {
    const { BatchDeploymentForm } = await import('../../views/batch');
    const submit = ({ name, request }: BatchDeploymentRequest): Promise<BatchEndpoint> =>
      client.batch.deploy(endpoint, name, request);
    took(await showForm({ title, action, studio, Form: BatchDeploymentForm, initial, submit }));
  };
  add(app, {
    id: CommandIDs.addBatchDeployment,
    label: 'Add deployment …',
    caption: 'Score with another model version under the same name',
    args: { name: BATCH },
    execute: async args => {
      const name = args.need('name');
      const { deployments } = await client.batch.read(name);
      const taken = deployments.map(one => one.name);
      const model = deployments[0]?.model ?? '';
      await askDeployment(`Add a deployment to ${name}`, 'Add', name, { taken, request: { model } });
    }
  });
  add(app, {
    id: CommandIDs.changeBatch,
    label: 'Change deployment …',
    caption: 'Change the version, the script or the settings that data sets are scored with',
    args: { name: BATCH, deployment: DEPLOYMENT },
    execute: async args => {
      const [name, deployment] = [args.need('name'), args.need('deployment')];
      const one = (await client.batch.read(name)).deployments.find(each => each.name === deployment);
      if (!one) {
        throw new StudioError('not_found', `${name} has no deployment ${deployment}.`, 404);
      }
      const { model, version, script, settings } = one;
      await askDeployment(`Change ${deployment}`, 'Save', name, {
        name: deployment,
        taken: null,
        request: { model, version: String(version), script },
        draft: batchDraft(settings)
      });
    }
  });
  add(app, {
    id: CommandIDs.setDefaultBatch,
    label: 'Make default',
    caption: 'Score with this deployment when none is named',
    args: { name: BATCH, deployment: DEPLOYMENT },
    execute: async args => {
      const change = { default_deployment: args.need('deployment') };
      took(await client.batch.update(args.need('name'), change));
    }
  });
  add(app, {
    id: CommandIDs.removeBatchDeployment,
    label: 'Remove deployment …',
    caption: 'Remove a deployment of a batch endpoint; the model version stays',
    args: { name: BATCH, deployment: DEPLOYMENT },
    execute: async args => {
      const [name, deployment] = [args.need('name'), args.need('deployment')];
      const text = `Removes ${deployment} from ${name}; its jobs and the model version stay.`;
      if (await confirmed('Remove deployment', text, 'Remove')) {
        took(await client.batch.removeDeployment(name, deployment));
      }
    }
  });
}

function addOthers({ app, studio }: Workbench): void {
  const { client } = studio;
  add(app, {
    id: CommandIDs.describeBatch,
    label: 'Describe …',
    caption: 'Change the description of a batch endpoint',
    args: { name: BATCH, description: { type: 'string', description: 'The new description' } },
    execute: async args => {
      const name = args.need('name');
      const now = await client.batch.read(name);
      const description =
        args.text('description') ?? (await askLines(studio, 'Describe batch endpoint', now.description));
      if (description !== undefined) {
        studio.batchEndpoint(name).accept(await client.batch.update(name, { description }, now.etag));
      }
    }
  });
  add(app, {
    id: CommandIDs.deleteBatch,
    label: 'Delete …',
    caption: 'Delete a batch endpoint; its jobs and the model versions stay',
    args: { name: BATCH },
    execute: async args => {
      const name = args.need('name');
      const { jobs } = await client.batch.read(name);
      const left = jobs === 0 ? 'It was never invoked' : `Its ${plural(jobs, 'job')} and their answers stay`;
      const text = `Deletes the batch endpoint ${name}. ${left}; the model versions stay registered.`;
      if (await confirmed('Delete batch endpoint', text, 'Delete')) {
        await client.batch.remove(name);
      }
    }
  });
}
