import * as fs from 'node:fs';
import * as path from 'node:path';

import { type Locator, type Page } from '@playwright/test';

import {
  type Api,
  ROOT,
  type RunData,
  command,
  expect,
  openNotebook,
  shot,
  test,
  writeNotebook
} from './studio';

/** Customers who leave when they are new and pay by the month, with a column that is of no use. */
function customers(rows: number): string {
  const plans = ['monthly', 'yearly', 'two years'];
  const lines = Array.from({ length: rows }, (_, row) => {
    const [tenure, plan] = [(row * 37) % 72, (row * 7) % 3];
    const leaves = tenure + 12 * plan + ((row * 53) % 25) < 36;
    return `${tenure},${row % 9 ? plans[plan] : ''},${(row * 11) % 90},same,${leaves ? 'yes' : 'no'}`;
  });
  return ['tenure,plan,charge,country,left', ...lines, ''].join('\n');
}

/** What two shops sold each day, and how many came in, with weeks of their own. */
function sales(weeks: number): string {
  const lines = Array.from({ length: 7 * weeks }, (_, day) => {
    const date = new Date(Date.UTC(2025, 0, 6 + day)).toISOString().slice(0, 10);
    return ['north', 'south'].map((shop, place) => {
      const visitors = 80 + 30 * place + ((day * 37) % 23) + (day % 7 > 4 ? 40 : 0);
      const sold = 20 + 10 * place + Math.round(visitors / 4) + ((day * 53) % 9) + Math.floor(day / 30);
      return `${date},${shop},${visitors},${sold}`;
    });
  });
  return ['day,shop,visitors,sold', ...lines.flat(), ''].join('\n');
}

interface AutoMLData {
  report: { leaderboard: { score: number | null }[]; winner: number | null };
}

test.describe('AutoML', () => {
  test.setTimeout(240_000);

  test('leads from a file to a model that is explained, and stopped when it is good enough', async ({
    api,
    page
  }) => {
    fs.writeFileSync(path.join(ROOT, 'customers.csv'), customers(400));
    await fromTheFileBrowser(page);
    const form = page.locator('.jp-mls-AutoMLForm');
    await fill(page, form);

    const answered = page.waitForResponse(
      answer => answer.url().endsWith('/automl') && answer.request().method() === 'POST'
    );
    await form.getByRole('button', { name: 'Find a model' }).click();
    const { id } = (await (await answered).json()) as RunData;
    const view = page.locator('.jp-mls-AutoMLView');
    const board = view.getByRole('table', { name: 'Leaderboard' });
    await expect(board.locator('tr[data-state="done"]').nth(1)).toBeVisible({ timeout: 90_000 });
    await expect(view.getByRole('group', { name: 'Best model so far' })).toContainText('auc_weighted');
    await shot(page, 'automl-live');
    await view.getByRole('button', { name: 'Stop and keep the best' }).click();
    await expect(view.locator('.jp-mls-RunHead-title .jp-mls-Status')).toHaveText('finished', {
      timeout: 90_000
    });

    const { report } = await api.call<AutoMLData>('GET', `automl/${id}`);
    expect(report.winner).not.toBeNull();
    await expect(view.getByRole('group', { name: 'Winner' })).toContainText('ONNX the same');
    await expect(board.locator('.jp-mls-mod-winner')).toHaveCount(1);
    await shot(page, 'automl-leaderboard');
    await look(page, view);
    await next(page, view, id);
    await goOn(page, id, report, api);
  });

  test('begins with a DataFrame of a notebook', async ({ api, page }) => {
    writeNotebook('frame.ipynb', [
      'import pandas as pd\ncustomers = pd.DataFrame({"a": range(40), "b": [x % 2 for x in range(40)]})\nother = 1'
    ]);
    await page.sidebar.close('left');
    await openNotebook(page, 'frame.ipynb');
    await command(page, 'notebook:run-all-cells');
    await expect(page.locator('.jp-NotebookPanel .jp-InputPrompt').first()).toHaveText('[1]:', {
      timeout: 60_000
    });
    await command(page, 'mlstudio:new-automl');
    const form = page.locator('.jp-mls-AutoMLForm');
    await form.getByRole('button', { name: 'From a notebook …' }).click();
    const frames = form.getByRole('group', { name: 'DataFrames' });
    await expect(frames.getByRole('button')).toHaveCount(1);
    await shot(page, 'automl-frames');
    await frames.getByRole('button', { name: /customers/ }).click();
    await expect(form.getByLabel('Table', { exact: true })).toHaveValue(
      /^automl-data\/customers-\d+\.parquet$/
    );
    await expect(form.getByText('40 rows, 2 columns')).toBeVisible({ timeout: 60_000 });
    const data = await form.getByLabel('Table', { exact: true }).inputValue();
    expect(fs.existsSync(path.join(ROOT, data))).toBe(true);
    // The notebook's own count goes on from where it was: nothing was executed in it.
    expect(await api.call('POST', 'automl/preview', { data })).toMatchObject({ rows: 40 });
  });

  test('foresees the weekly sum of daily rows, with a column that nobody knows ahead', async ({
    api,
    page
  }) => {
    fs.writeFileSync(path.join(ROOT, 'sales.csv'), sales(40));
    await page.sidebar.close('left');
    await command(page, 'mlstudio:new-automl', { data: 'sales.csv' });
    const form = page.locator('.jp-mls-AutoMLForm');
    await expect(form.getByRole('table', { name: 'Columns' })).toContainText('shop', { timeout: 60_000 });
    await form.getByLabel('Target', { exact: true }).selectOption('sold');
    await form.getByRole('radio', { name: /future of a series/ }).check();
    await expect(form.getByLabel('Time', { exact: true })).toHaveValue('day');
    await form.getByLabel('Series', { exact: true }).selectOption('shop');
    await form.getByLabel('Horizon', { exact: true }).fill('4');
    const start = form.getByRole('button', { name: 'Find a model' });
    await form.getByLabel('Rows of a step').selectOption('sum');
    await expect(start).toBeDisabled(); // A sum is one over a time that must be said.
    await form.getByLabel('Frequency', { exact: true }).fill('W');
    await form.getByLabel('Not known ahead').selectOption('visitors');
    await form.getByLabel('Past of other columns').selectOption('auto');
    await form.getByLabel('Minutes').fill('1');
    const code = form.getByRole('complementary', { name: 'Code' });
    await code.getByRole('button', { name: 'YAML' }).click();
    for (const said of ['target_aggregate_function: sum', 'feature_lags: auto', 'visitors']) {
      await expect(code).toContainText(said, { timeout: 15_000 });
    }
    await form.getByLabel('Frequency', { exact: true }).scrollIntoViewIfNeeded();
    await shot(page, 'automl-forecast-form');

    const answered = page.waitForResponse(
      answer => answer.url().endsWith('/automl') && answer.request().method() === 'POST'
    );
    await start.click();
    const { id } = (await (await answered).json()) as RunData;
    const view = page.locator('.jp-mls-AutoMLView');
    const board = view.getByRole('table', { name: 'Leaderboard' });
    await expect(board.locator('tr[data-state="done"]').nth(1)).toBeVisible({ timeout: 90_000 });
    await view.getByRole('button', { name: 'Stop and keep the best' }).click();
    await expect(view.locator('.jp-mls-RunHead-title .jp-mls-Status')).toHaveText('finished', {
      timeout: 90_000
    });
    expect((await api.call<AutoMLData>('GET', `automl/${id}`)).report.winner).not.toBeNull();
    await expect(view.getByRole('group', { name: 'Winner' })).toContainText('ONNX the same');
    await shot(page, 'automl-forecast-leaderboard');
    await view.getByRole('tab', { name: 'Explain' }).click();
    await expect(view.getByText('A forecast is not explained row by row')).toBeVisible();
    await shot(page, 'automl-forecast-explain');
  });
});

/** "New AutoML run" on a CSV file in the file browser. */
async function fromTheFileBrowser(page: Page): Promise<void> {
  await page.sidebar.openTab('filebrowser');
  await command(page, 'filebrowser:go-to-path', { path: '/' });
  const file = page.locator('.jp-DirListing-item', { hasText: 'customers.csv' });
  await file.click({ button: 'right', timeout: 20_000 });
  await page.locator('.lm-Menu').getByText('New AutoML run …').click();
  await page.sidebar.close('left');
}

/** Looks at the columns, chooses target and limits, and reads the code beside them. */
async function fill(page: Page, form: Locator): Promise<void> {
  const columns = form.getByRole('table', { name: 'Columns' });
  await expect(columns).toContainText('tenure', { timeout: 60_000 });
  await form.getByLabel('Target', { exact: true }).selectOption('left');
  await form.getByText(/note.* on the table/).click();
  await expect(form.getByRole('list', { name: 'Findings' })).toContainText(
    "every row has the same value in 'country'"
  );
  // The first label in order: the threshold that is registered below is about it.
  await form.getByLabel('Positive label').selectOption('no');
  await form.getByLabel('Minutes').fill('1');
  await form.getByRole('checkbox', { name: 'SVM' }).uncheck();
  await form.getByLabel('Experiment').fill('customers');
  const code = form.getByRole('complementary', { name: 'Code' });
  await expect(code).toContainText("target='left'", { timeout: 15_000 });
  await expect(code).toContainText('SVM');
  await code.getByRole('button', { name: 'YAML' }).click();
  await expect(code).toContainText('target_column_name: left');
  await expect(code).toContainText('task: classification');
  await form.evaluate(node => node.querySelector('.jp-mls-AutoMLForm-body')?.scrollTo(0, 0));
  await shot(page, 'automl-form');
}

/** What the run says of the table, the time, the winner, and of one row. */
async function look(page: Page, view: Locator): Promise<void> {
  await view.getByRole('tab', { name: /^Data/ }).click();
  await expect(view.getByRole('list', { name: 'Findings' })).toContainText('country');
  await shot(page, 'automl-data');
  await view.getByRole('tab', { name: 'Progress' }).click();
  await expect(view.locator('.js-plotly-plot').first()).toBeVisible();
  await expect(view.getByRole('table', { name: 'Families of models' })).toContainText('blocked');
  await shot(page, 'automl-progress');
  await view.getByRole('tab', { name: 'Explain' }).click();
  const bars = view.getByRole('table', { name: 'Importance of columns' });
  await expect(bars.getByRole('row').first()).toContainText('tenure');
  await view.getByLabel('tenure', { exact: true }).fill('2');
  await view.getByRole('button', { name: 'Ask and explain' }).click();
  const why = view.getByRole('table', { name: 'How far each value moved the answer' });
  await expect(why).toContainText('tenure = 2', { timeout: 60_000 });
  await shot(page, 'automl-explain');
  await view.getByRole('tab', { name: 'Model' }).click();
  await expect(view.getByRole('group', { name: 'How the winner is made' })).toContainText('left');
  await shot(page, 'automl-model');
  await view.getByRole('tab', { name: 'Evaluation' }).click();
  await expect(view.getByRole('slider')).toBeVisible();
}

/** From the winner to a version that answers by a threshold, and to a notebook. */
async function next(page: Page, view: Locator, id: string): Promise<void> {
  const winner = view.getByRole('group', { name: 'Winner' });
  await expect(view.getByText(/^Threshold for no/)).toBeVisible();
  await view.getByLabel('Threshold as a number').fill('0.8');
  await view.getByRole('button', { name: 'Use this threshold' }).click();
  await expect(view.getByRole('button', { name: 'This threshold is used' })).toBeVisible();
  await winner.getByRole('button', { name: 'Register' }).click();
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog.getByLabel('Decision threshold')).toHaveValue('0.8');
  await expect(dialog.getByLabel('Class of the threshold')).toHaveValue('no');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await expect(page.getByText(/no from a probability of 0.8; the same labels on/)).toBeVisible({
    timeout: 60_000
  });
  await command(page, 'mlstudio:open-run', { id });
  await winner.getByRole('button', { name: 'Open as notebook' }).click();
  await expect(page.locator('.jp-NotebookPanel .jp-Cell').first()).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('.jp-NotebookPanel .jp-Spinner')).toHaveCount(0, { timeout: 30_000 });
  await shot(page, 'automl-notebook');
  await command(page, 'mlstudio:open-run', { id });
  const others = view.getByRole('table', { name: 'Leaderboard' }).locator('tr:not(.jp-mls-mod-winner)');
  await view.getByRole('tab', { name: /^Leaderboard/ }).click();
  await others.getByRole('button', { name: 'Open as notebook' }).first().click();
  const opened = page.locator('.jp-NotebookPanel:visible');
  await expect(opened).toContainText(/Model \d+ of an AutoML run/, { timeout: 30_000 });
  await shot(page, 'automl-notebook-of-another');
}

/** Five more minutes: a new run that begins with all that the old one tried, and tries more. */
async function goOn(page: Page, id: string, before: AutoMLData['report'], api: Api): Promise<void> {
  await command(page, 'mlstudio:open-run', { id });
  const view = page.locator('.jp-mls-AutoMLView:visible');
  const answered = page.waitForResponse(
    answer => answer.url().endsWith(`/automl/${id}/resume`) && answer.request().method() === 'POST'
  );
  await view.getByRole('button', { name: 'Continue 5 more minutes' }).click();
  const more = (await (await answered).json()) as RunData;
  await expect(view.getByRole('button', { name: 'Stop and keep the best' })).toBeVisible({ timeout: 30_000 });
  await expect(view.getByText(/of 5.min/)).toBeVisible();
  const board = view.getByRole('table', { name: 'Leaderboard' });
  const known = before.leaderboard.filter(one => one.score !== null).length;
  const done = board.locator('tr[data-state="done"]');
  await expect.poll(() => done.count(), { timeout: 60_000 }).toBeGreaterThan(known);
  await expect(board).not.toContainText('the search ended');
  await shot(page, 'automl-continued');
  await view.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Stop and keep nothing' }).click();
  await expect(view.locator('.jp-mls-RunHead-title .jp-mls-Status')).toHaveText('stopped', {
    timeout: 30_000
  });
  expect((await api.call<AutoMLData>('GET', `automl/${more.id}`)).report.winner).toBeNull();
}
