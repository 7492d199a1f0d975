import * as fs from 'node:fs';
import * as path from 'node:path';

import { ROOT, command, expect, openSidebar, shot, test, focused } from './studio';

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
  await focused(dialog);
  await dialog.getByLabel('Reason').fill('recall 0.97 on the holdout');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await expect(model.locator('.jp-mls-Decisions')).toContainText('recall 0.97 on the holdout');
  await expect(model.locator('.jp-mls-Timeline')).toContainText('recall 0.97 on the holdout');
  await shot(page, 'registry-version');

  // Tags, the graph, and what a profile measures
  await model.getByLabel('New tag, name=value').fill('team=risk');
  await model.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(model.locator('.jp-mls-Tags')).toContainText('team: risk');
  await model.getByText('Operators, shapes and constants').click();
  await expect(model.getByRole('table', { name: 'Operators' })).toContainText('TreeEnsemble');
  await model.getByRole('button', { name: 'Profile', exact: true }).click();
  await focused(dialog);
  await dialog.getByLabel('Rows of a request').fill('1, 10');
  await dialog.getByRole('button', { name: 'Profile' }).click();
  await expect(model.getByRole('table', { name: 'Profile' }).locator('tbody tr').nth(1)).toBeVisible({
    timeout: 60_000
  });
  await model.getByRole('heading', { name: 'Graph' }).scrollIntoViewIfNeeded();
  await shot(page, 'registry-graph');

  // Another threshold is another version
  await command(page, 'mlstudio:set-threshold', { name: 'registry', version: 1 });
  await focused(dialog);
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

  // A newer opset is a version with a comparison of its own
  await command(page, 'mlstudio:open-model', { name: 'registry', version: 1 });
  await model.getByTitle('More for version 1').click();
  await shot(page, 'registry-more');
  await model.getByRole('menuitem', { name: 'Upgrade opset …' }).click();
  await focused(dialog);
  await dialog.getByLabel('Opset').fill('6');
  await expect(dialog.getByRole('button', { name: 'Upgrade' })).toBeDisabled();
  await dialog.getByLabel('Opset').fill('');
  await dialog.getByRole('button', { name: 'Upgrade' }).click();
  await expect(model.getByRole('heading', { name: 'Version 3' })).toBeVisible();
  await expect(model.getByTestId('version-state')).toContainText('Converted to ONNX', { timeout: 90_000 });
  await expect(model.locator('.jp-mls-Tags')).toContainText('upgraded-from: 1');

  // The card, and a package made by a run
  await command(page, 'mlstudio:show-card', { name: 'registry', version: 2 });
  await expect(page.locator('.jp-mls-CardText h1').first()).toBeVisible();
  await shot(page, 'registry-card');
  await command(page, 'mlstudio:package-version', { name: 'registry', version: 2 });
  await dialog.getByRole('button', { name: 'Package' }).click();
  await expect(page.locator('.jp-mls-RunView')).toBeVisible();

  // A file: from the file browser, and sent from this computer
  const onnx = await page.request.get(
    `${process.env['TARGET_URL']}/mlstudio/api/v1/models/registry/versions/1/files/model.onnx`
  );
  fs.writeFileSync(path.join(ROOT, 'found.onnx'), await onnx.body());
  await command(page, 'filebrowser:activate');
  const register = page.getByRole('menuitem', { name: 'Register as model …' });
  await expect(async () => {
    // A slow browser goes back to the trip's own folder once more
    await command(page, 'filebrowser:go-to-path', { path: '/' });
    await command(page, 'filebrowser:refresh');
    await page
      .locator('.jp-DirListing-item', { hasText: 'found.onnx' })
      .click({ button: 'right', timeout: 5000 });
    await expect(register).toBeVisible({ timeout: 5000 });
  }).toPass();
  await register.click();
  await expect(dialog.getByLabel('File or folder')).toHaveValue('found.onnx');
  await expect(dialog.getByLabel('Name')).toHaveValue('found');
  await focused(dialog);
  await dialog.getByLabel('File or folder').fill('found.pkl');
  await expect(dialog.getByText('Load it though it may execute code')).toBeVisible();
  await shot(page, 'register-file');
  await dialog.getByLabel('File or folder').fill('found.onnx');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await expect(page.locator('.jp-mls-ModelView', { hasText: 'found' }).last()).toBeVisible();
  const sidebar = await openSidebar(page);
  await sidebar.getByTitle('Register a file as model').click();
  await focused(dialog);
  await dialog.getByLabel('This computer').check();
  await dialog.getByLabel('File').setInputFiles(path.join(ROOT, 'found.onnx'));
  await shot(page, 'register-upload');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await expect(page.locator('.jp-mls-ModelView:visible')).toContainText('Version 2', { timeout: 30_000 });
  await shot(page, 'sidebar-models');
});
