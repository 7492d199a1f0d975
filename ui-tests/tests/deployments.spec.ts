import { command, expect, shot, test } from './studio';

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

  // Another version in the same deployment
  await rows.nth(0).getByRole('button', { name: 'Swap' }).click();
  await dialog.getByLabel('Version').selectOption('2');
  await dialog.getByRole('button', { name: 'Swap' }).click();
  await expect(rows.nth(0)).toContainText('split v2', { timeout: 60_000 });
  await expect(rows.nth(0).locator('[data-status=Ready]')).toBeVisible({ timeout: 60_000 });
  await api.call('DELETE', 'endpoints/split-risk');
});
