import { openLab } from './server';
import { SERVER, command, expect, openSidebar, shot, test, focused } from './studio';

test('everything works below a path, as on JupyterHub', async ({ api, browser }) => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await openLab(page, SERVER);
  expect(SERVER).toMatch(/\/user\/x$/);
  const [run] = await api.train('hub', [3]);
  const sidebar = await openSidebar(page);
  await expect(sidebar.getByText('forest-depth-3').first()).toBeVisible();

  // Live through Jupyter's own event stream
  const live = await api.submit({ name: 'later', experiment: 'hub' });
  await expect(sidebar.locator('[data-mls-row=run]', { hasText: 'later' }).first()).toBeVisible();
  await api.wait(live.id, 'Completed');
  await expect(sidebar.locator('[data-mls-row=run]', { hasText: 'later' }).first()).toHaveAttribute(
    'data-status',
    'Completed'
  );

  await command(page, 'mlstudio:open-run', { id: run!.id });
  const view = page.locator('.jp-mls-RunView');
  await view.getByRole('tab', { name: /^Evaluation/ }).click();
  await expect(view.locator('.jp-mls-Plot .main-svg').first()).toBeVisible();
  await shot(page, 'base-url-run');

  await view.getByRole('button', { name: 'Register', exact: true }).click();
  const dialog = page.locator('.jp-Dialog');
  await dialog.getByRole('button', { name: 'Register' }).click();
  const model = page.locator('.jp-mls-ModelView');
  await expect(model.getByTestId('version-state')).toContainText('Converted to ONNX, loaded', {
    timeout: 90_000
  });
  const download = page.waitForEvent('download');
  await model.getByRole('button', { name: 'Download' }).first().click();
  expect((await download).suggestedFilename()).not.toBe('');

  await model.getByRole('button', { name: 'Deploy' }).click();
  await focused(dialog);
  await dialog.getByLabel('Endpoint name').fill('hub-endpoint');
  await dialog.getByRole('button', { name: 'Deploy' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click({ timeout: 60_000 });
  const endpoint = page.locator('.jp-mls-EndpointView');
  await expect(endpoint.locator('[data-status=Ready]').first()).toBeVisible({ timeout: 60_000 });
  await expect(endpoint).toContainText('/user/x/mlstudio/api/v1/endpoints/hub-endpoint/score');
  await endpoint.getByRole('button', { name: 'Send' }).click();
  await expect(endpoint.getByTestId('answer')).toContainText('status 200');
  await shot(page, 'base-url-endpoint');
  await api.call('DELETE', 'endpoints/hub-endpoint');
});
