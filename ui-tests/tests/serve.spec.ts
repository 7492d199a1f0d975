import { command, expect, shot, test, focused } from './studio';

test('register, look at the proof, deploy, try it, stop and delete', async ({ api, page }) => {
  const [run] = await api.train('serving', [5]);
  await page.sidebar.close('left');
  await command(page, 'mlstudio:open-run', { id: run!.id });

  // Register
  await page.locator('.jp-mls-RunView').getByRole('button', { name: 'Register' }).click();
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog.getByLabel('Name')).toHaveValue('serving');
  await focused(dialog);
  await dialog.getByLabel('Alias (optional)').fill('champion');
  await expect(dialog).toContainText('.register("serving", alias="champion")');
  await shot(page, 'register');
  await dialog.getByRole('button', { name: 'Register' }).click();

  // The version and its proof
  const model = page.locator('.jp-mls-ModelView');
  await expect(model.getByTestId('version-state')).toContainText('Converted to ONNX, loaded', {
    timeout: 90_000
  });
  await expect(model).toContainText('Compared with the original on 171 rows: the same labels');
  await expect(model).toContainText('mean radius');
  await expect(model).toContainText('champion');
  await shot(page, 'model');

  // Deploy
  await model.getByRole('button', { name: 'Deploy' }).click();
  const name = dialog.getByLabel('Endpoint name');
  await focused(dialog);
  await name.fill('1 bad name');
  await expect(dialog).toContainText('The name begins with a letter.');
  await expect(dialog.getByRole('button', { name: 'Deploy' })).toBeDisabled();
  await name.fill('cancer-risk');
  await shot(page, 'deploy');
  await dialog.getByRole('button', { name: 'Deploy' }).click();

  // Keys are shown once
  await expect(dialog).toContainText('not shown again', { timeout: 60_000 });
  const key = await dialog.getByTestId('key-primary').innerText();
  expect(key).toMatch(/^mls_/);
  await shot(page, 'keys');
  await dialog.getByRole('button', { name: 'Done' }).click();

  // Try it
  const endpoint = page.locator('.jp-mls-EndpointView');
  await expect(endpoint.locator('[data-status=Ready]').first()).toBeVisible({ timeout: 60_000 });
  await expect(endpoint).not.toContainText(key);
  await endpoint.getByLabel('mean radius, row 1').fill('twenty');
  await expect(endpoint).toContainText('One value does not fit its datatype.');
  await endpoint.getByLabel('mean radius, row 1').fill('20.5');
  await endpoint.getByRole('button', { name: 'Send' }).click();
  await expect(endpoint.getByTestId('answer')).toContainText(/Row 1\s*(malignant|benign|0|1)/);
  await expect(endpoint.getByTestId('answer')).toContainText(/Answered in .*ms, status 200/);
  await expect(endpoint.getByTestId('snippet')).toContainText('curl -sS');
  await expect(endpoint.getByTestId('snippet')).toContainText('20.5');
  await endpoint.getByTestId('answer').scrollIntoViewIfNeeded();
  await shot(page, 'try-it');

  // Its requests are counted
  await expect(endpoint.getByTestId('counts')).toContainText(/Requests\s*[1-9]/, { timeout: 30_000 });
  await expect(endpoint.locator('.jp-mls-Plot').first()).toBeVisible({ timeout: 30_000 });
  await endpoint.getByRole('heading', { name: 'cancer-risk' }).scrollIntoViewIfNeeded();
  await shot(page, 'endpoint');

  // Lists
  await command(page, 'mlstudio:open-endpoints');
  await expect(page.locator('.jp-mls-EndpointsView')).toContainText('serving v1');
  await shot(page, 'endpoints');
  await command(page, 'mlstudio:open-models');
  await expect(page.locator('.jp-mls-ModelsView')).toContainText('champion');
  await shot(page, 'models');

  // A version that is served is not deleted
  await command(page, 'mlstudio:delete-version', { name: 'serving', version: 1 });
  await expect(dialog).toContainText('used by endpoint cancer-risk');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  // Regenerate, stop, restart, delete
  await command(page, 'mlstudio:open-endpoint', { name: 'cancer-risk' });
  await endpoint.getByTitle('Replace the primary key').click();
  await expect(dialog).toContainText('The secondary key goes on');
  await dialog.locator('button.jp-mod-accept, button.jp-mod-warn').last().click();
  await expect(dialog.getByTestId('key-primary')).not.toHaveText(key);
  await dialog.getByRole('button', { name: 'Done' }).click();

  await endpoint.getByRole('button', { name: 'Stop', exact: true }).click();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(endpoint.locator('[data-status=Stopped]').first()).toBeVisible();
  await expect(endpoint.getByRole('button', { name: 'Send' })).toBeDisabled();
  await endpoint.getByRole('button', { name: 'Restart' }).first().click();
  await expect(endpoint.locator('[data-status=Ready]').first()).toBeVisible({ timeout: 60_000 });
  await endpoint.getByRole('button', { name: 'Send' }).click();
  await expect(endpoint.getByTestId('answer')).toContainText('status 200');

  await endpoint.getByRole('button', { name: 'Delete' }).click();
  await expect(dialog).toContainText('Deletes the endpoint cancer-risk');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect.poll(() => api.call<unknown[]>('GET', 'endpoints')).toEqual([]);
});
