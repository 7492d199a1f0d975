import { command, expect, shot, test } from './studio';

test('the experiment table sorts, filters, selects and overlays', async ({ api, page }) => {
  const runs = await api.train('forests', [1, 2, 6]);
  const experiments = await api.call<{ id: string; name: string }[]>('GET', 'experiments?q=forests');
  await page.sidebar.close('left');
  await command(page, 'mlstudio:open-experiment', { id: experiments[0]!.id });
  const view = page.locator('.jp-mls-Experiment');
  const rows = view.getByRole('table', { name: 'Runs', exact: true });
  await expect(rows.getByText('forest-depth-6')).toBeVisible();
  await shot(page, 'experiment');

  const names = async (): Promise<string[]> =>
    (await rows.getByText(/^forest-depth-\d$/).allInnerTexts()).map(text => text.trim());
  const header = view.getByRole('columnheader', { name: /max_depth/ });
  const directions = { ascending: [1, 2, 6], descending: [6, 2, 1] };
  for (let clicks = 0; clicks < 2; clicks++) {
    await header.getByRole('button').click();
    const direction = (await header.getAttribute('aria-sort')) as keyof typeof directions;
    await expect.poll(names).toEqual(directions[direction].map(depth => `forest-depth-${depth}`));
  }

  const boxes = view.getByRole('checkbox', { name: /select/i });
  await boxes.nth(1).check();
  await boxes.nth(2).check();
  await expect(view).toContainText('2 selected');
  await expect(view.locator('.jp-mls-Plot .main-svg').first()).toBeVisible();
  await shot(page, 'experiment-overlay');

  const filter = view.getByLabel('Runs whose name contains');
  await filter.fill('depth-6');
  await expect(rows.getByText('forest-depth-1')).toHaveCount(0);
  await expect(rows.getByText('forest-depth-6')).toBeVisible();
  await shot(page, 'experiment-filter');
  expect(runs).toHaveLength(3);
});
