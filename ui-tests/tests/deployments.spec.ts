import * as fs from 'node:fs';
import * as path from 'node:path';

import { ROOT, command, expect, shot, test, focused } from './studio';

test('two deployments: split, copies, a canary release, a swap', async ({ api, page }) => {
  const runs = await api.train('split', [5, 40]);
  await page.sidebar.close('left');
  for (const run of runs) {
    await api.call('POST', 'models', { name: 'split', run_id: run.id });
  }
  await command(page, 'mlstudio:open-model', { name: 'split' });
  await expect(page.locator('.jp-mls-ModelView').getByTestId('version-state')).toContainText(
    'Converted to ONNX',
    {
      timeout: 90_000
    }
  );
  await api.call('POST', 'endpoints', { name: 'split-risk', model: 'split', version: '1' });
  await command(page, 'mlstudio:open-endpoint', { name: 'split-risk' });
  const endpoint = page.locator('.jp-mls-EndpointView');
  const dialog = page.locator('.jp-Dialog');
  await expect(endpoint.locator('[data-status=Ready]').first()).toBeVisible({ timeout: 60_000 });

  // Another version beside the first, without requests
  await endpoint.getByRole('button', { name: 'Add deployment' }).click();
  await expect(dialog.getByLabel('Deployment name')).toHaveValue('green');
  await dialog.getByLabel('Version').selectOption('2');
  await shot(page, 'deployment-add');
  await dialog.getByRole('button', { name: 'Add' }).click();
  const rows = endpoint.getByRole('table', { name: 'Deployments' }).locator('tbody tr');
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(1).locator('[data-status=Ready]')).toBeVisible({ timeout: 60_000 });

  // Shares that always add up
  await endpoint.getByLabel('Percent of the requests for green').fill('30');
  await expect(endpoint.getByLabel('Percent of the requests for blue')).toHaveValue('70');
  await endpoint.getByLabel('Percent of the requests of which green gets copies').fill('100');
  await endpoint.getByRole('button', { name: 'Save' }).click();
  await expect(rows.nth(0)).toContainText('70 %');
  await expect(endpoint.getByRole('button', { name: 'Save' })).toBeDisabled();

  // Requests are compared with their copies
  await endpoint.getByRole('button', { name: 'Send' }).click();
  await expect(endpoint.getByTestId('answer')).toContainText('status 200');
  for (let sent = 0; sent < 8; sent++) {
    await endpoint.getByRole('button', { name: 'Send' }).click();
  }
  await expect(endpoint.getByRole('table', { name: 'Compared answers' })).toBeVisible({ timeout: 30_000 });
  await endpoint.getByRole('heading', { name: 'Deployments' }).scrollIntoViewIfNeeded();
  await shot(page, 'deployments');

  // A canary release, stopped by hand
  await endpoint.getByRole('button', { name: 'Start canary release' }).click();
  await focused(dialog);
  await dialog.getByLabel('Steps').fill('50, 20');
  await expect(dialog.getByRole('button', { name: 'Start' })).toBeDisabled();
  await expect(dialog.getByLabel('Deployment')).toHaveValue('green');
  await dialog.getByLabel('Steps').fill('40, 100');
  await shot(page, 'canary-form');
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(endpoint).toContainText('under way');
  await expect(endpoint.getByLabel('Percent of the requests for green')).toBeDisabled();
  await endpoint.getByRole('heading', { name: 'Canary release' }).scrollIntoViewIfNeeded();
  await shot(page, 'canary');
  await endpoint.getByRole('button', { name: 'Stop', exact: true }).last().click();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(endpoint).toContainText('was stopped');

  // One deployment is asked, whatever its share
  await endpoint.getByLabel('Ask').selectOption('green');
  await endpoint.getByRole('button', { name: 'Send' }).click();
  await expect(endpoint.getByTestId('snippet')).toContainText('azureml-model-deployment: green');

  // Settings are checked while they are typed; the server has the last word
  await rows.nth(0).getByRole('button', { name: 'Settings' }).click();
  await focused(dialog);
  await dialog.getByLabel('Memory of a process, MB').fill('1');
  await expect(dialog.getByText('A whole number from 64')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Save' })).toBeDisabled();
  await shot(page, 'deployment-settings');
  await dialog.getByLabel('Memory of a process, MB').fill('2048');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toHaveCount(0);
  await endpoint.getByRole('button', { name: 'Change …' }).click();
  await focused(dialog);
  await dialog.getByLabel('Header').fill('Cookie');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toContainText('cannot be the sticky header');
  await dialog.getByLabel('Header').fill('X-Session-Id');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(endpoint.locator('.jp-mls-Sticky')).toContainText('x-session-id', { ignoreCase: true });

  // A new key that ends
  await endpoint.getByTitle('Replace the secondary key').click();
  await dialog.getByLabel('The new key ends').selectOption('30');
  await shot(page, 'key-replace');
  await dialog.getByRole('button', { name: 'Replace' }).click();
  await expect(dialog.getByTestId('key-secondary')).toContainText('mls');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(endpoint.getByRole('table', { name: 'Keys' })).toContainText(/in (29\sd\s23|30\sd\s00)\sh/);

  // Another version in the same deployment
  await rows.nth(0).getByRole('button', { name: 'Swap' }).click();
  await dialog.getByLabel('Version').selectOption('2');
  await dialog.getByRole('button', { name: 'Swap' }).click();
  await expect(rows.nth(0)).toContainText('split v2', { timeout: 60_000 });
  await expect(rows.nth(0).locator('[data-status=Ready]')).toBeVisible({ timeout: 60_000 });
  await api.call('DELETE', 'endpoints/split-risk');

  // The same version scores whole files
  const columns = await api.call<{ signature: { inputs: { columns: string[] }[] } }>(
    'GET',
    'models/split/versions/1'
  );
  const names = columns.signature.inputs.flatMap(input => input.columns);
  const lines = Array.from({ length: 40 }, (_, row) => names.map((_, at) => row + at).join(','));
  fs.writeFileSync(path.join(ROOT, 'patients.csv'), [names.join(','), ...lines].join('\n') + '\n');
  await command(page, 'mlstudio:deploy', { model: 'split', version: '1' });
  await focused(dialog);
  await dialog.getByLabel('Batch').check();
  await dialog.getByLabel('Endpoint name').fill('split-nightly');
  await shot(page, 'deploy-batch');
  await dialog.getByRole('button', { name: 'Deploy' }).click();
  const batch = page.locator('.jp-mls-BatchView');
  await expect(batch).toContainText('Nothing scored yet');
  await shot(page, 'batch-empty');
  await batch.getByRole('button', { name: 'Score a data set' }).click();
  await focused(dialog);
  await dialog.getByLabel('Data').fill('nothing/*.csv');
  await dialog.getByRole('button', { name: 'Score' }).click();
  await expect(dialog.getByRole('alert')).toContainText('there are no files');
  await dialog.getByLabel('Data').fill('patients.csv');
  await dialog.getByText('Different for this job').click();
  await shot(page, 'batch-score');
  await dialog.getByRole('button', { name: 'Score' }).click();
  const job = batch.getByRole('table', { name: 'Jobs' }).locator('tbody tr');
  await expect(job.locator('[data-status=Completed]')).toBeVisible({ timeout: 60_000 });
  await expect(job).toContainText('40');
  await shot(page, 'batch');
  const answers = page.waitForEvent('download');
  await job.getByRole('button', { name: 'Download' }).click();
  expect((await answers).suggestedFilename()).toBe('predictions.csv');
  await batch.getByRole('button', { name: 'Delete' }).click();
  await expect(dialog).toContainText('Its 1 job and their answers stay');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(batch.getByRole('alert')).toContainText('no batch endpoint');
});
