import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { PARAMS, expect, openSidebar, shot, test } from './studio';
import { OwnServer } from './server';

test('an empty workspace explains itself', async ({ browser }) => {
  const server = await OwnServer.start(fs.mkdtempSync(path.join(os.tmpdir(), 'mlstudio-empty-')), 18891);
  try {
    const page = await browser.newPage();
    await server.open(page);
    const sidebar = await openSidebar(page);
    await expect(sidebar).toContainText('%load_ext jupyter_mlstudio');
    await expect(sidebar).toContainText('becomes a run');
    await shot(page, 'sidebar-empty');
    await page.close();
  } finally {
    await server.kill();
  }
});

test('live runs come first, with metric and progress; search finds by name', async ({ api, page }) => {
  await api.train('sidebar', [2]);
  const live = await api.submit({
    name: 'slow-forest',
    experiment: 'sidebar',
    params: { ...PARAMS, steps: 30, pause_s: 1 }
  });
  await api.wait(live.id, 'Running');
  const sidebar = await openSidebar(page);
  const rows = sidebar.locator('[data-mls-row=run]');
  await expect(rows.first()).toContainText('slow-forest');
  await expect(rows.first()).toHaveAttribute('data-status', 'Running');
  await expect(rows.first()).toContainText(/accuracy/);
  await expect(rows.first()).toContainText(/\d+\/30/);
  await expect(sidebar).toContainText('1 live');
  await shot(page, 'sidebar');

  const search = sidebar.getByRole('searchbox');
  await search.fill('forest-depth-2');
  await expect(sidebar.locator('[data-mls-row=run]', { hasText: 'slow-forest' })).toHaveCount(0);
  await expect(sidebar.locator('[data-mls-row=run]').first()).toContainText('forest-depth-2');
  await shot(page, 'sidebar-search');
  await search.fill('');
  await expect(rows.first()).toContainText('slow-forest');

  await rows.first().click();
  await expect(page.locator('.jp-mls-RunView')).toContainText('slow-forest');
  await api.call('POST', `runs/${live.id}/stop`, {});
  await expect(rows.filter({ hasText: 'slow-forest' })).toHaveAttribute('data-status', 'Canceled', {
    timeout: 30_000
  });
});
