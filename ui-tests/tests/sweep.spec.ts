import { type Locator, type Page } from '@playwright/test';

import { type Api, type RunData, command, expect, openNotebook, shot, test, focused } from './studio';

/** Two numbers and a word, best at x = 2, a = 1 with "good"; a little slow, so that it can be watched. */
const CELL = `import time

import jupyter_mlstudio as studio

value = 10 - (x - 2) ** 2 - (a - 1) ** 2 + (1 if word == "good" else 0)
for step in range(1, 4):
    studio.log_metric("score", value * step / 3, step=step)
    time.sleep(pause_s)
print("done")
`;

interface TrialData {
  number: number;
  state: string;
  params: Record<string, unknown>;
}

interface SweepData {
  phase: string;
  counts: Record<string, number>;
  best: TrialData | null;
}

test.describe('a sweep', () => {
  test.setTimeout(240_000);

  test('is begun from a run, watched, steered, and its best trial taken on', async ({ api, page }) => {
    const experiment = 'sweeps';
    const params = { x: 1.5, a: 0.5, word: 'good', pause_s: 0.05 };
    const run = await api.submit({ name: 'one', experiment, cell: CELL, params });
    await api.wait(run.id, 'Completed');
    await page.sidebar.close('left');
    await command(page, 'mlstudio:open-run', { id: run.id });
    await page.getByRole('button', { name: 'Sweep…' }).click();
    const sweepId = await begin(page);

    const view = page.locator('.jp-mls-SweepView');
    await expect(view).toBeVisible();
    const best = view.getByRole('group', { name: 'Best trial' });
    await expect(best).toBeVisible({ timeout: 60_000 });
    await expect(view.locator('.jp-mls-SweepPlot .main-svg').first()).toBeVisible();
    await shot(page, 'sweep-overview');

    const now = (): Promise<SweepData> => api.call('GET', `sweeps/${sweepId}`);
    await view.getByRole('button', { name: 'Pause' }).click();
    await expect(view.getByRole('button', { name: 'Resume' })).toBeVisible();
    await expect.poll(async () => (await now()).counts['RUNNING'] ?? 0).toBe(0);
    await tryPoint(page, view);
    await shot(page, 'sweep-paused');
    await view.getByRole('button', { name: 'Resume' }).click();

    const tried = async (): Promise<TrialData | undefined> => {
      const { trials } = await api.call<{ trials: TrialData[] }>('GET', `sweeps/${sweepId}/trials`);
      return trials.find(trial => trial.params['x'] === 2 && trial.params['a'] === 1);
    };
    await expect.poll(async () => (await tried())?.state, { timeout: 60_000 }).toBe('COMPLETE');
    await expect(best).toContainText('x 2');

    await plots(page, view);
    const begun = Object.values((await now()).counts).reduce((sum, count) => sum + count, 0);
    await limits(page, view, begun + 4);
    const status = view.locator('.jp-mls-RunHead-title .jp-mls-Status');
    await expect(status).toHaveText('finished', { timeout: 90_000 });
    await next(page, view, await tried());
    await again(page, api, sweepId);
    await more(page, api, sweepId);
  });
});

/** Fills in the form of "Sweep this run" and starts; answers the sweep's id. */
async function begin(page: Page): Promise<string> {
  const dialog = page.locator('.jp-Dialog');
  await focused(dialog);
  await dialog.getByLabel('How x is varied').fill('uniform(-4,4)');
  await dialog.getByLabel('How a is varied').fill('uniform(-4,4)');
  await dialog.getByLabel('pause_s', { exact: true }).uncheck();
  await dialog.getByLabel('word', { exact: true }).check();
  await dialog.getByLabel('How word is varied').fill('choice(good,bad)');
  await expect(dialog.getByLabel('Metric')).toHaveValue('score');
  await dialog.getByLabel('Trials').fill('40');
  await dialog.getByLabel('Chosen by').selectOption('random');
  await shot(page, 'sweep-form');
  const answered = page.waitForResponse(
    answer => answer.url().endsWith('/sweeps') && answer.request().method() === 'POST'
  );
  await dialog.getByRole('button', { name: 'Start the sweep' }).click();
  return ((await (await answered).json()) as RunData).id;
}

async function tryPoint(page: Page, view: Locator): Promise<void> {
  await view.getByRole('button', { name: 'Try this …' }).click();
  const dialog = page.locator('.jp-Dialog');
  await focused(dialog);
  await dialog.getByLabel('x', { exact: true }).fill('2');
  await dialog.getByLabel('a', { exact: true }).fill('1');
  await dialog.getByLabel('word').selectOption('good');
  await dialog.getByRole('button', { name: 'Try', exact: true }).click();
  await expect(dialog).toHaveCount(0);
}

/** Looks at the plots, points at a trial, and chooses by a range of an axis what the table shows. */
async function plots(page: Page, view: Locator): Promise<void> {
  await view.getByRole('tab', { name: /^Plots/ }).click();
  await expect(view.locator('.jp-mls-Lanes .main-svg').first()).toBeVisible();
  const dot = view.locator('.jp-mls-SweepPlot-box .points path').first();
  await expect(dot).toBeVisible();
  // A live plot may be drawn anew under the pointer.
  await expect(async () => {
    const box = (await dot.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2 - 3, box.y + box.height / 2);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await expect(view.locator('.jp-mls-TrialLine strong')).toContainText('trial', { timeout: 1000 });
    await expect(view.locator('.jp-mls-SweepPlot-ring').first()).toBeVisible({ timeout: 1000 });
  }).toPass();
  await shot(page, 'sweep-plots');

  const axis = view.getByRole('slider', { name: 'Range of x' });
  await axis.focus();
  for (let press = 0; press < 10; press++) {
    await axis.press('ArrowUp');
  }
  await expect(view.getByText(/\d+ trials? chosen/)).toBeVisible();
  await shot(page, 'sweep-chosen');
  await view.getByRole('tab', { name: /^Trials/ }).click();
  await expect(view.getByText(/\d+ trials? of \d+/)).toBeVisible();
  await shot(page, 'sweep-trials');
  await view.getByRole('button', { name: /^Show all/ }).click();
}

/** Asks for fewer trials, so that the sweep comes to its end. */
async function limits(page: Page, view: Locator, trials: number): Promise<void> {
  await view.getByRole('button', { name: 'Limits …' }).click();
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog.getByLabel('Trials', { exact: true })).toHaveValue('40');
  await focused(dialog);
  await dialog.getByLabel('Trials', { exact: true }).fill(String(trials));
  await shot(page, 'sweep-limits');
  await dialog.getByRole('button', { name: 'Change' }).click();
  await expect(dialog).toHaveCount(0);
}

/** From the best trial to a notebook, to its run, and to the model registry's form. */
async function next(page: Page, view: Locator, best: TrialData | undefined): Promise<void> {
  const group = view.getByRole('group', { name: 'Best trial' });
  await group.getByRole('button', { name: 'Register best' }).click();
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog).toContainText('Register model');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await shot(page, 'sweep-finished');
  await group.getByText(`trial ${best?.number}`).click();
  const run = page
    .locator('.jp-mls-RunView:not(.jp-mls-SweepView)')
    .filter({ hasText: `/ trial ${best?.number}` });
  await expect(run).toBeVisible();
  await expect(run).toContainText('score');
}

/** Opens the best trial as a notebook and runs it: it gives the same number. */
async function again(page: Page, api: Api, sweepId: string): Promise<void> {
  await command(page, 'mlstudio:open-run', { id: sweepId });
  const answered = page.waitForResponse(answer => answer.url().endsWith(`${sweepId}/notebook`));
  await page.getByRole('button', { name: 'Open as notebook' }).click();
  const { path } = (await (await answered).json()) as { path: string };
  await openNotebook(page, path);
  const notebook = page.locator('.jp-NotebookPanel:visible');
  await expect(notebook.locator('.jp-CodeCell').first()).toContainText('x = 2');
  await command(page, 'notebook:run-all-cells');
  await expect(notebook.getByText('done', { exact: true })).toBeVisible({ timeout: 60_000 });
  await shot(page, 'sweep-notebook');
  const { best } = await api.call<{ best: { values: number[] } }>('GET', `sweeps/${sweepId}`);
  const score = async (): Promise<number | undefined> => {
    const { items } = await api.call<{ items: RunData[] }>('GET', 'runs?kind=interactive');
    return items[0]?.metrics['score'];
  };
  await expect.poll(score).toBe(best.values[0]);
}

/** Goes on with a sweep that is over: a new one that knows its trials. */
async function more(page: Page, api: Api, sweepId: string): Promise<void> {
  await command(page, 'mlstudio:open-run', { id: sweepId });
  await page.locator('.jp-mls-SweepView:visible').getByRole('button', { name: 'More trials …' }).click();
  const dialog = page.locator('.jp-Dialog');
  const { counts } = await api.call<SweepData>('GET', `sweeps/${sweepId}`);
  const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
  await focused(dialog);
  await dialog.getByRole('spinbutton').fill(String(done + 2));
  const answered = page.waitForResponse(answer => answer.url().endsWith(`${sweepId}/resume`));
  await dialog.getByRole('button', { name: 'Go on' }).click();
  const { id } = (await (await answered).json()) as RunData;
  await api.wait(id, 'Completed');
  const view = page.locator('.jp-mls-SweepView:visible');
  await expect(view).toContainText(`${done + 2} of ${done + 2} trials`);
  await shot(page, 'sweep-more');
}
