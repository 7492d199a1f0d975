import type { Page } from '@playwright/test';

import { command, expect, openNotebook, openSidebar, shot, test, writeNotebook } from './studio';

const CANARY = '<img src=x onerror=window.__x=1>';

/** Everything that a user can name, named so that it would run if it were ever taken for markup. */
const NASTY = `import pandas as pd
import jupyter_mlstudio as studio
from sklearn.linear_model import LogisticRegression

X = pd.DataFrame({CANARY: [0.0, 1.0, 2.0, 3.0] * 10, "other": [1.0, 0.0, 1.0, 0.0] * 10})
y = [CANARY if value > 1.5 else "plain" for value in X[CANARY]]
model = LogisticRegression().fit(X, y)
studio.log_param(CANARY.replace("=", "-"), CANARY)
studio.set_tag("nasty", CANARY)
for step in range(3):
    studio.log_metric("loss", 1 / (step + 1), step=step)
studio.log_text(CANARY, CANARY.replace("/", "") + ".txt")
studio.log_text("a,b\\n" + CANARY + ",1\\n", "table.csv")
studio.log_table("nasty table", pd.DataFrame({CANARY: [CANARY]}))
studio.evaluate(model, X, y)
studio.log_model(model, sample=X, y=y)
print(CANARY, "\\x1b]0;title\\x07")
`;

async function untouched(page: Page): Promise<void> {
  expect(await page.evaluate(() => (window as unknown as { __x?: unknown }).__x)).toBeUndefined();
  expect(await page.locator('img[src=x]').count()).toBe(0);
}

test('X01: what users write is text on every view', async ({ api, page }) => {
  const cell = `CANARY = ${JSON.stringify(CANARY)}\n${NASTY}`;
  const work = { name: CANARY, experiment: CANARY, params: {}, tags: { canary: CANARY } };
  const run = await api.submit({ ...work, cell });
  const failed = await api.submit({ ...work, cell: `raise ValueError(${JSON.stringify(CANARY)})` });
  await api.wait(run.id, 'Completed');
  await api.wait(failed.id, 'Failed');

  const sidebar = await openSidebar(page);
  await expect(sidebar.locator('[data-mls-row=run]', { hasText: CANARY }).first()).toBeVisible();
  await untouched(page);

  await command(page, 'mlstudio:open-run', { id: failed.id });
  await expect(page.locator('.jp-mls-RunView')).toContainText(CANARY);
  await untouched(page);
  await command(page, 'mlstudio:open-run', { id: run.id });
  const view = page.locator('.jp-mls-RunView:visible');
  for (const name of ['Overview', 'Metrics', 'Evaluation', 'Logs', 'Artifacts', 'Code', 'System']) {
    await view.getByRole('tab', { name: new RegExp(`^${name}`) }).click();
    await expect(view.getByRole('tabpanel')).not.toContainText('Reading');
    if (name === 'Artifacts') {
      for (const file of ['.txt', 'table.csv']) {
        await view.getByText(file, { exact: false }).first().click();
        await expect(view.getByRole('tabpanel')).toContainText(CANARY);
      }
    }
    await untouched(page);
    await shot(page, `text-${name.toLowerCase()}`);
  }

  const experiments = await api.call<{ id: string; name: string }[]>('GET', 'experiments');
  const experiment = experiments.find(one => one.name === CANARY);
  await command(page, 'mlstudio:open-experiment', { id: experiment!.id });
  await expect(page.locator('.jp-mls-Experiment:visible')).toContainText(CANARY);
  await untouched(page);
  await command(page, 'mlstudio:compare-runs', { runIds: [run.id, failed.id] });
  await expect(page.locator('.jp-mls-Compare:visible, .jp-mls-CompareView:visible').first()).toContainText(
    CANARY
  );
  await untouched(page);

  // A dialog that names it
  await command(page, 'mlstudio:delete-run', { id: failed.id });
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog).toBeVisible();
  await untouched(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  // The model made of it: columns, labels, description
  const version = {
    name: CANARY,
    run_id: run.id,
    alias: `a${CANARY}`,
    description: CANARY,
    tags: { tag: CANARY }
  };
  await api.call('POST', 'models', version);
  await command(page, 'mlstudio:open-model', { name: CANARY });
  const model = page.locator('.jp-mls-ModelView');
  await expect(model.getByTestId('version-state')).toContainText('Converted to ONNX, loaded', {
    timeout: 90_000
  });
  await expect(model).toContainText(CANARY);
  await untouched(page);
  await shot(page, 'text-model');
  for (const id of ['mlstudio:delete-version', 'mlstudio:set-alias', 'mlstudio:deploy']) {
    await command(page, id, { name: CANARY, model: CANARY, version: 1 });
    await expect(dialog).toBeVisible();
    await untouched(page);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  }

  // Its endpoint: fields, answer, description
  await api.call('POST', 'endpoints', { name: 'nasty', model: CANARY, description: CANARY });
  await command(page, 'mlstudio:open-endpoint', { name: 'nasty' });
  const endpoint = page.locator('.jp-mls-EndpointView');
  await expect(endpoint.locator('[data-status=Ready]').first()).toBeVisible({ timeout: 60_000 });
  await endpoint.getByRole('button', { name: 'Send' }).click();
  await expect(endpoint.getByTestId('answer')).toContainText(CANARY);
  await untouched(page);
  await endpoint.getByTestId('answer').scrollIntoViewIfNeeded();
  await shot(page, 'text-endpoint');

  // The card, from a notebook that anybody may have sent
  writeNotebook('nasty.ipynb', [
    `import jupyter_mlstudio as studio\nstudio.get_run(${JSON.stringify(run.id)})`
  ]);
  await openNotebook(page, 'nasty.ipynb');
  await command(page, 'notebook:run-all-cells');
  await expect(page.locator('.jp-mls-Card')).toContainText(CANARY, { timeout: 60_000 });
  await untouched(page);
  for (const id of ['mlstudio:open-models', 'mlstudio:open-endpoints']) {
    await command(page, id);
    await expect(page.locator('.jp-mls-Noun:visible')).toContainText(CANARY);
    await untouched(page);
  }
  await api.call('DELETE', 'endpoints/nasty');
});
