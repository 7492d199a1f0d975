import { TRAIN, command, expect, openNotebook, openSidebar, shot, test, writeNotebook } from './studio';

/** How far apart two colours are to the eye (WCAG 2.2, contrast ratio). */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const parts = (color.match(/\d+(\.\d+)?/g) ?? []).slice(0, 3).map(Number);
    const [red, green, blue] = parts.map(part => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

test('everything is legible in the dark theme', async ({ api, page }) => {
  const [run] = await api.train('dark', [3]);
  await page.theme.setDarkTheme();
  const sidebar = await openSidebar(page);
  await expect(sidebar.getByText('forest-depth-3').first()).toBeVisible();
  await command(page, 'mlstudio:open-run', { id: run!.id });
  const view = page.locator('.jp-mls-RunView');
  await expect(view).toContainText('max_depth');
  await shot(page, 'dark-run');

  await view.getByRole('tab', { name: /^Evaluation/ }).click();
  await expect(view.locator('.jp-mls-Plot .main-svg').first()).toBeVisible();
  await shot(page, 'dark-evaluation');

  for (const part of [
    sidebar.getByText('forest-depth-3').first(),
    view.getByRole('heading', { name: run!.name })
  ]) {
    const [text, ground] = await part.evaluate(node => {
      let at: Element | null = node;
      let color = 'rgba(0, 0, 0, 0)';
      while (at && /rgba\(.*, 0\)|transparent/.test(color)) {
        color = getComputedStyle(at).backgroundColor;
        at = at.parentElement;
      }
      return [getComputedStyle(node).color, color];
    });
    expect(contrast(text!, ground!)).toBeGreaterThan(4.5);
  }
});

test('the studio in one picture', async ({ page }) => {
  writeNotebook('forest.ipynb', [
    '%load_ext jupyter_mlstudio',
    `%%ml_submit --name forest --experiment cancer -p trees=8 -p max_depth=6 -p steps=12 -p pause_s=0.2\n${TRAIN}`
  ]);
  await openSidebar(page);
  await openNotebook(page, 'forest.ipynb');
  await command(page, 'notebook:run-all-cells');
  const card = page.locator('.jp-mls-Card');
  await expect(card).toHaveAttribute('data-status', 'Completed', { timeout: 90_000 });
  const id = await card.getAttribute('data-run');
  await command(page, 'mlstudio:open-run', { id });
  const view = page.locator('.jp-mls-RunView');
  await expect(view).toBeVisible();
  await page.evaluate(() => {
    interface Shell {
      currentWidget: { id: string };
      widgets(area: string): Iterable<{ id: string; node: HTMLElement }>;
      add(widget: unknown, area: string, options: Record<string, unknown>): void;
    }
    const { shell } = (window as unknown as { jupyterapp: { shell: Shell } }).jupyterapp;
    const run = shell.currentWidget;
    const notebook = [...shell.widgets('main')].find(one => one.node.classList.contains('jp-NotebookPanel'));
    shell.add(run, 'main', { ref: notebook!.id, mode: 'split-right' });
  });
  await view.getByRole('tab', { name: /^Evaluation/ }).click();
  await expect(view.locator('.jp-mls-Plot .main-svg').first()).toBeVisible();
  await card.scrollIntoViewIfNeeded();
  await shot(page, 'studio');
});
