import { type Page } from '@playwright/test';

import { type RunData, command, expect, shot, test } from './studio';

const EXPERIMENT = 'run view';

test.describe('the run view', () => {
  let run: RunData;

  test.beforeEach(async ({ api, page }) => {
    run ??= (await api.train(EXPERIMENT, [4]))[0]!;
    await page.sidebar.close('left');
    await command(page, 'mlstudio:open-run', { id: run.id });
    await expect(page.getByRole('tablist', { name: 'Parts of the run' })).toBeVisible();
  });

  async function tab(page: Page, name: string): Promise<void> {
    await page
      .getByRole('tab', { name: new RegExp(`^${name}`) })
      .and(page.locator('.jp-mls-Tabs-bar *'))
      .click();
  }

  test('shows parameters, metrics and where the run came from', async ({ page }) => {
    const view = page.locator('.jp-mls-RunView');
    await expect(view.getByRole('heading', { name: run.name })).toBeVisible();
    await expect(view).toContainText('max_depth');
    await expect(view).toContainText('accuracy');
    await expect(view).toContainText(/python/i);
    await shot(page, 'run-overview');
  });

  test('draws metrics, logs, artifacts, code and the system', async ({ page }) => {
    const view = page.locator('.jp-mls-RunView');
    await tab(page, 'Metrics');
    await expect(view.locator('.jp-mls-Plot .main-svg').first()).toBeVisible();
    await shot(page, 'run-metrics');

    await tab(page, 'Logs');
    await expect(view).toContainText('step 5/5 accuracy');
    await shot(page, 'run-logs');

    await tab(page, 'Artifacts');
    await expect(view).toContainText('model');
    await shot(page, 'run-artifacts');

    await tab(page, 'Code');
    await expect(view).toContainText('RandomForestClassifier');
    await shot(page, 'run-code');

    await tab(page, 'System');
    await expect(view).toContainText(/cpu/i);
    await shot(page, 'run-system');
  });

  test('moves the confusion matrix and both curves with one threshold', async ({ page }) => {
    const view = page.locator('.jp-mls-RunView');
    await tab(page, 'Evaluation');
    const slider = view.getByRole('slider').first();
    await expect(slider).toBeVisible();
    const charts = view.locator('.jp-mls-Plot');
    await expect(charts.locator('.main-svg').first()).toBeVisible();
    const confusion = view.locator('.jp-mls-Confusion');
    const numbers = view.locator('.jp-mls-Numbers');
    const marks = async (): Promise<string[]> =>
      charts.locator('.points path').evaluateAll(all => all.map(one => one.getAttribute('transform') ?? ''));
    const before = {
      matrix: await confusion.innerText(),
      numbers: await numbers.innerText(),
      marks: await marks()
    };
    await shot(page, 'run-evaluation');

    await slider.focus();
    await slider.press('End');
    await expect.poll(() => confusion.innerText()).not.toBe(before.matrix);
    await expect.poll(() => numbers.innerText()).not.toBe(before.numbers);
    await expect.poll(async () => JSON.stringify(await marks())).not.toBe(JSON.stringify(before.marks));
    await shot(page, 'run-evaluation-threshold');
  });
});
