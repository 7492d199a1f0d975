import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { OwnServer } from './server';
import { Api, command, expect, openNotebook, openSidebar, shot, test, writeNotebook } from './studio';

const CELL = `%%ml_submit --name forest -e cancer -p depth=6
import jupyter_mlstudio as studio
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X, X_test, y, y_test = train_test_split(X, y, random_state=4)
model = RandomForestClassifier(max_depth=depth, warm_start=True, random_state=0)
for trees in range(5, 105, 5):
    model.n_estimators = trees
    model.fit(X, y)
    studio.log_metric("train", model.score(X, y), step=trees)
    studio.log_metric("valid", model.score(X_test, y_test), step=trees)
studio.evaluate(model, X_test, y_test)
studio.log_model(model, sample=X_test)`;

test('the studio in one picture', async ({ browser, request }) => {
  const root = path.join(
    fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mlstudio-'))),
    'cancer-study'
  );
  fs.mkdirSync(root);
  const server = await OwnServer.start(root, 18892);
  const api = new Api(request, server.url);
  try {
    await api.experiment('cancer', 'auc');
    const cell = CELL.slice(CELL.indexOf('\n') + 1);
    const names = ['stump', 'shallow-forest'];
    const runs = [];
    for (const [index, name] of names.entries()) {
      runs.push(await api.submit({ name, experiment: 'cancer', cell, params: { depth: index + 1 } }));
    }
    for (const run of runs) {
      await api.wait(run.id, 'Completed');
    }
    await api.call('POST', 'models', { name: 'cancer', run_id: runs[1]!.id, alias: 'champion' });
    await expect
      .poll(() => api.call<{ status: string }>('GET', 'models/cancer/versions/1').then(one => one.status), {
        timeout: 60_000
      })
      .toBe('Ready');
    await api.call('POST', 'endpoints', { name: 'cancer-risk', model: 'cancer' });
    writeNotebook('quickstart.ipynb', ['%load_ext jupyter_mlstudio', CELL], root);

    const page = await browser.newPage({ viewport: { width: 1600, height: 960 } });
    await server.open(page);
    const sidebar = await openSidebar(page);
    await openNotebook(page, 'quickstart.ipynb');
    await command(page, 'notebook:run-all-cells');
    const card = page.locator('.jp-mls-Card');
    await expect(card).toHaveAttribute('data-status', 'Completed', { timeout: 90_000 });
    await command(page, 'mlstudio:open-run', { id: await card.getAttribute('data-run') });
    const view = page.locator('.jp-mls-RunView');
    await expect(view).toBeVisible();
    await page.evaluate(() => {
      interface Shell {
        currentWidget: { id: string };
        widgets(area: string): Iterable<{ id: string; node: HTMLElement }>;
        add(widget: unknown, area: string, options: Record<string, unknown>): void;
      }
      const { shell } = (window as unknown as { jupyterapp: { shell: Shell } }).jupyterapp;
      const notebook = [...shell.widgets('main')].find(one =>
        one.node.classList.contains('jp-NotebookPanel')
      );
      shell.add(shell.currentWidget, 'main', { ref: notebook!.id, mode: 'split-right' });
    });
    await view.getByRole('tab', { name: /^Evaluation/ }).click();
    await expect(view.locator('.jp-mls-Plot .main-svg').first()).toBeVisible();
    await expect(sidebar.locator('[data-mls-row=endpoint][data-status=Ready]')).toBeVisible({
      timeout: 60_000
    });
    await card.scrollIntoViewIfNeeded();
    await expect(card.locator('.jp-mls-MiniRoc')).toBeVisible();
    await page.waitForTimeout(1000);
    await shot(page, 'studio');
    await page.close();
  } finally {
    await api.call('DELETE', 'endpoints/cancer-risk').catch(() => undefined);
    await server.kill();
  }
});
