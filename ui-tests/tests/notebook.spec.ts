import {
  PARAMS,
  TRAIN,
  command,
  expect,
  hurry,
  openNotebook,
  reload,
  save,
  shot,
  test,
  writeNotebook
} from './studio';

const SLOW = '-p trees=4 -p max_depth=4 -p steps=24 -p pause_s=1';

test('a cell becomes a run whose card is live after a reload and a kernel restart', async ({ api, page }) => {
  await api.experiment('cards', 'accuracy');
  hurry('forest', false);
  writeNotebook('quickstart.ipynb', [
    '%load_ext jupyter_mlstudio',
    `%%ml_submit --name forest --experiment cards ${SLOW}\n${TRAIN}`
  ]);
  await page.sidebar.close('left');
  await openNotebook(page, 'quickstart.ipynb');
  await command(page, 'notebook:run-all-cells');

  const card = page.locator('.jp-mls-Card');
  await expect(card).toHaveAttribute('data-status', 'Running', { timeout: 60_000 });
  await expect(card).toContainText('max_depth');
  await expect(card).toContainText('accuracy', { timeout: 60_000 });
  await expect(card).toContainText(/step \d+\/24/);
  await shot(page, 'card-live');

  // The kernel is free meanwhile, and the notebook is saved with the card.
  await save(page);
  await reload(page);
  await openNotebook(page, 'quickstart.ipynb');
  await expect(card).toHaveAttribute('data-status', 'Running');
  const seen = await card.innerText();
  await expect.poll(() => card.innerText()).not.toBe(seen);

  // A new kernel knows nothing of the run; the server does.
  await command(page, 'kernelmenu:restart');
  await page.locator('.jp-Dialog').locator('.jp-mod-accept').click();
  await expect(card).toHaveAttribute('data-status', 'Running');
  const later = await card.innerText();
  await expect.poll(() => card.innerText()).not.toBe(later);

  hurry('forest');
  await expect(card).toHaveAttribute('data-status', 'Completed', { timeout: 90_000 });
  await expect(card).toContainText('AUC');
  await expect(card.getByRole('button', { name: 'Register' })).toBeVisible();
  await shot(page, 'card-finished');
});

test('a run is stopped from its card, and one that fails says why', async ({ page }) => {
  writeNotebook('stop.ipynb', [
    '%load_ext jupyter_mlstudio',
    `%%ml_submit --name stopped ${SLOW}\n${TRAIN}`,
    '%%ml_submit --name broken\nraise ValueError("no such column: age")'
  ]);
  await page.sidebar.close('left');
  await openNotebook(page, 'stop.ipynb');
  await command(page, 'notebook:run-all-cells');
  const [stopped, broken] = [page.locator('.jp-mls-Card').first(), page.locator('.jp-mls-Card').nth(1)];
  await expect(stopped).toHaveAttribute('data-status', 'Running', { timeout: 60_000 });
  await stopped.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(stopped).toHaveAttribute('data-status', 'Canceled', { timeout: 60_000 });
  await expect(broken).toHaveAttribute('data-status', 'Failed', { timeout: 60_000 });
  await expect(broken).toContainText('no such column: age');
  await shot(page, 'card-stopped-and-failed');
});

test('the widget is live without the extension, and stops its run', async ({ api, page }) => {
  const params = { ...PARAMS, steps: 40, pause_s: 1 };
  const run = await api.submit({ name: 'through-ipywidgets', experiment: 'widget', params });
  await api.wait(run.id, 'Running');
  writeNotebook('widget.ipynb', [
    `import jupyter_mlstudio as studio\nstudio.RunDetails("${run.id}").widget()`
  ]);
  await page.sidebar.close('left');
  await openNotebook(page, 'widget.ipynb');
  await command(page, 'notebook:run-all-cells');
  const card = page.locator('.mlstudio-card');
  await expect(card).toContainText('through-ipywidgets', { timeout: 60_000 });
  await expect(card).toContainText('Running');
  await expect(card).toContainText(/accuracy 0\.\d+/);
  await shot(page, 'widget');
  const seen = await card.innerText();
  await expect.poll(() => card.innerText()).not.toBe(seen);
  await card.getByRole('button', { name: 'Stop' }).click();
  await expect(card).toContainText('Canceled', { timeout: 60_000 });
  await expect(card.getByRole('button', { name: 'Stop' })).toBeHidden();
});
