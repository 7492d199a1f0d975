import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { OwnServer } from './server';
import { Api, PARAMS, command, expect, hurry, openSidebar, shot, test } from './studio';

const STEPS = 40;
const MIME = 'application/vnd.jupyter-mlstudio.run+json';

/** A notebook as it was saved after a cell was submitted: the card is its output. */
function notebookWithCard(runId: string, workspace: string): unknown {
  const data = {
    [MIME]: { run_id: runId, workspace, name: 'survivor', static: {} },
    'text/plain': 'survivor'
  };
  const output = { output_type: 'display_data', data, metadata: {} };
  return {
    cells: [
      {
        cell_type: 'code',
        execution_count: 1,
        id: 'a',
        metadata: {},
        outputs: [output],
        source: '%%ml_submit'
      }
    ],
    metadata: { kernelspec: { display_name: 'Python 3 (ipykernel)', language: 'python', name: 'python3' } },
    nbformat: 4,
    nbformat_minor: 5
  };
}

test('F03 F30: a killed server loses nothing, and three tabs come back live', async ({
  browser,
  request
}) => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mlstudio-restart-')));
  const server = await OwnServer.start(root, 18889);
  try {
    const api = new Api(request, server.url);
    const params = { ...PARAMS, trees: 1, steps: STEPS, pause_s: 1 };
    hurry('survivor', false);
    const run = await api.submit({ name: 'survivor', experiment: 'restarts', params });
    await api.wait(run.id, 'Running');
    fs.writeFileSync(path.join(root, 'restart.ipynb'), JSON.stringify(notebookWithCard(run.id, root)));

    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const [notebook, view, panel] = [
      await context.newPage(),
      await context.newPage(),
      await context.newPage()
    ];
    await server.open(notebook, '/workspaces/one/tree/restart.ipynb');
    await server.open(view, '/workspaces/two');
    await command(view, 'mlstudio:open-run', { id: run.id });
    await server.open(panel, '/workspaces/three');
    const sidebar = await openSidebar(panel);

    const card = notebook.locator('.jp-mls-Card');
    const row = sidebar.locator('[data-mls-row=run]').first();
    await expect(card).toHaveAttribute('data-status', 'Running');
    await expect(view.locator('.jp-mls-RunView')).toContainText('survivor');
    await expect(row).toHaveAttribute('data-status', 'Running');
    await expect(card).toContainText(/step \d+\/40/);

    await server.kill();
    await panel.bringToFront();
    await expect(sidebar).toContainText('Disconnected', { timeout: 60_000 });
    await shot(panel, 'disconnected');
    const before = await card.innerText();

    await server.again();
    for (const page of [notebook, view, panel]) {
      await page.bringToFront();
      await expect
        .poll(() => page.locator('.jp-mls-Card, .jp-mls-RunView, [data-mls-row=run]').first().innerText(), {
          timeout: 60_000
        })
        .toMatch(/survivor/);
    }
    await notebook.bringToFront();
    await expect.poll(() => card.innerText(), { timeout: 60_000 }).not.toBe(before);
    await expect(card).not.toContainText('Disconnected', { timeout: 60_000 });
    hurry('survivor');
    await expect(card).toHaveAttribute('data-status', 'Completed', { timeout: 120_000 });
    await shot(notebook, 'card-after-restart');

    // Every point that was logged is there, once, and each tab says the same.
    const [series] = await api.call<{ steps: number[]; total: number }[]>(
      'GET',
      `runs/${run.id}/series?name=train_accuracy`
    );
    expect(series!.total).toBe(STEPS);
    expect(series!.steps).toEqual(Array.from({ length: STEPS }, (_, step) => step + 1));
    await panel.bringToFront();
    await expect(row).toHaveAttribute('data-status', 'Completed', { timeout: 30_000 });
    await view.bringToFront();
    await expect(view.locator('.jp-mls-RunView [data-status=Completed]').first()).toBeVisible({
      timeout: 30_000
    });
    await context.close();
  } finally {
    await server.kill();
  }
});
