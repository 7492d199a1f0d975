import { command, expect, shot, test } from './studio';

test('register, approve, set a threshold, compare, package', async ({ api, page }) => {
  const [run] = await api.train('registry', [5]);
  await page.sidebar.close('left');
  await api.call('POST', 'models', { name: 'registry', run_id: run!.id });
  await command(page, 'mlstudio:open-model', { name: 'registry' });
  const model = page.locator('.jp-mls-ModelView');
  const dialog = page.locator('.jp-Dialog');
  await expect(model.getByTestId('version-state')).toContainText('Converted to ONNX', { timeout: 90_000 });

  // A rejection needs a reason, an approval keeps who and why
  await model.getByRole('button', { name: 'Approve …' }).click();
  await expect(dialog.getByRole('button', { name: 'Approve' })).toBeDisabled();
  await dialog.getByLabel('Reason').fill('recall 0.97 on the holdout');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await expect(model.locator('.jp-mls-Decisions')).toContainText('recall 0.97 on the holdout');
  await expect(model.locator('.jp-mls-Timeline')).toContainText('recall 0.97 on the holdout');
  await shot(page, 'registry-version');

  // Another threshold is another version
  await command(page, 'mlstudio:set-threshold', { name: 'registry', version: 1 });
  await dialog.getByLabel('Threshold').fill('0.3');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await expect(model.getByRole('heading', { name: 'Version 2' })).toBeVisible();
  await expect(model.getByTestId('version-state')).toContainText('Converted to ONNX', { timeout: 90_000 });
  await expect(model).toContainText('from a probability of 0.3');

  // Two versions side by side
  await model.getByLabel('Compare version 1').check();
  await model.getByLabel('Compare version 2').check();
  await model.getByRole('button', { name: 'Compare', exact: true }).click();
  await expect(page.locator('.jp-mls-VersionsComparison')).toContainText('v1 compared with v2');
  await expect(page.locator('.jp-mls-VersionsComparison')).toContainText('Metrics');
  await shot(page, 'registry-compare');

  // The card, and a package made by a run
  await command(page, 'mlstudio:show-card', { name: 'registry', version: 2 });
  await expect(page.locator('.jp-mls-CardText h1').first()).toBeVisible();
  await shot(page, 'registry-card');
  await command(page, 'mlstudio:package-version', { name: 'registry', version: 2 });
  await dialog.getByRole('button', { name: 'Package' }).click();
  await expect(page.locator('.jp-mls-RunView')).toBeVisible();
});
