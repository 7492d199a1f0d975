import { command, expect, openSidebar, shot, test } from './studio';

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
