/** What the trips have in common: the server's API, notebooks as files, real work to run, and the screen. */
import * as fs from 'node:fs';
import * as path from 'node:path';

import { test as galataTest } from '@jupyterlab/galata';
import { type APIRequestContext, type Locator, type Page, expect } from '@playwright/test';

export { expect };

export const ROOT = process.env['MLS_ROOT']!;
export const SERVER = process.env['TARGET_URL']!;
export const SIDEBAR = '#jupyter-mlstudio-sidebar';

const ENDED = ['Completed', 'Failed', 'Canceled'];
const SHOTS = path.join(__dirname, '..', 'screenshots');

/** Trains a forest on scikit-learn's breast cancer data, tree by tree, and keeps charts and model. */
export const TRAIN = `import os
import time
from pathlib import Path

import jupyter_mlstudio as studio
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
model = RandomForestClassifier(warm_start=True, max_depth=max_depth, random_state=0)
hurry = Path(os.environ["MLS_ROOT"], f"hurry {studio.active_run().name}")
for step in range(1, steps + 1):
    model.n_estimators = step * trees
    model.fit(X_train, y_train)
    studio.log_metric("accuracy", model.score(X_test, y_test), step=step)
    studio.log_metric("train_accuracy", model.score(X_train, y_train), step=step)
    studio.progress(step, steps, "trees")
    print(f"step {step}/{steps} accuracy {model.score(X_test, y_test):.4f}", flush=True)
    time.sleep(0 if hurry.exists() else pause_s)
studio.evaluate(model, X_test, y_test)
studio.log_model(model, sample=X_test, y=y_test)
`;

/** A fast training; \`pause_s\` makes it a slow one, until it is told to hurry. */
export const PARAMS = { trees: 4, max_depth: 4, steps: 5, pause_s: 0.05 };

/** Has the slow training of a run go on without pauses from now on, or with them. */
export function hurry(name: string, on = true): void {
  const file = path.join(ROOT, `hurry ${name}`);
  if (on) {
    fs.writeFileSync(file, '');
  } else {
    fs.rmSync(file, { force: true });
  }
}

/** A run as far as the trips look at it. */
export interface RunData {
  id: string;
  name: string;
  status: string;
  reason: string;
  metrics: Record<string, number>;
}

export interface Work {
  name: string;
  experiment: string;
  cell?: string;
  params?: Record<string, unknown>;
  tags?: Record<string, string>;
}

/** The studio's API, as a program would call it. */
export class Api {
  constructor(
    private readonly request: APIRequestContext,
    private readonly server = SERVER
  ) {}

  async call<T>(method: string, address: string, data?: unknown): Promise<T> {
    const response = await this.request.fetch(`${this.server}/mlstudio/api/v1/${address}`, {
      method,
      ...(data === undefined ? {} : { data })
    });
    const text = await response.text();
    if (!response.ok()) {
      throw new Error(`${method} ${address}: ${response.status()} ${text}`);
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Makes an experiment, unless the same trip did when it was tried before. */
  async experiment(name: string, metric: string): Promise<void> {
    const known = await this.call<{ name: string }[]>('GET', 'experiments');
    if (!known.some(one => one.name === name)) {
      await this.call('POST', 'experiments', { name, primary_metric: metric });
    }
  }

  /** Deletes what a trip made before it is tried again, which needs the same names. */
  async clear(): Promise<void> {
    for (const kind of ['endpoints', 'batch-endpoints', 'models']) {
      for (const { name } of await this.call<{ name: string }[]>('GET', kind)) {
        await this.call('DELETE', `${kind}/${encodeURIComponent(name)}`);
      }
    }
    const { items } = await this.call<{ items: RunData[] }>('GET', 'runs?max_results=1000');
    for (const { id } of items.filter(run => ENDED.includes(run.status))) {
      await this.call('DELETE', `runs/${id}`);
    }
  }

  submit({ name, experiment, cell = TRAIN, params = PARAMS, tags = {} }: Work): Promise<RunData> {
    const spec = { cell, params };
    return this.call('POST', 'runs', { kind: 'cell', name, experiment, spec, tags });
  }

  run(id: string): Promise<RunData> {
    return this.call('GET', `runs/${encodeURIComponent(id)}`);
  }

  /** Waits until a run has one of these statuses, and says why when it ended otherwise. */
  async wait(id: string, ...statuses: string[]): Promise<RunData> {
    const deadline = Date.now() + 120_000;
    let run = await this.run(id);
    while (!statuses.includes(run.status)) {
      if (ENDED.includes(run.status) || Date.now() > deadline) {
        throw new Error(`run ${run.name} is ${run.status}: ${run.reason}\n${await this.log(id)}`);
      }
      await new Promise(done => setTimeout(done, 200));
      run = await this.run(id);
    }
    return run;
  }

  async log(id: string): Promise<string> {
    const slice = await this.call<{ text: string }>('GET', `runs/${id}/logs?offset=-1`);
    return slice.text;
  }

  /** Runs the same training with several parameters, one after another. */
  async train(experiment: string, depths: number[]): Promise<RunData[]> {
    const submitted: RunData[] = [];
    for (const depth of depths) {
      const params = { ...PARAMS, max_depth: depth };
      submitted.push(await this.submit({ name: `forest-depth-${depth}`, experiment, params }));
    }
    const done: RunData[] = [];
    for (const run of submitted) {
      done.push(await this.wait(run.id, 'Completed'));
    }
    return done;
  }
}

/** Writes a notebook below the server's root, one cell for each text. */
export function writeNotebook(name: string, cells: string[], root = ROOT): void {
  const notebook = {
    cells: cells.map((source, index) => ({
      cell_type: 'code',
      execution_count: null,
      id: `cell-${index}`,
      metadata: {},
      outputs: [],
      source
    })),
    metadata: { kernelspec: { display_name: 'Python 3 (ipykernel)', language: 'python', name: 'python3' } },
    nbformat: 4,
    nbformat_minor: 5
  };
  fs.writeFileSync(path.join(root, name), JSON.stringify(notebook, null, 1));
}

interface Lab {
  commands: { execute(id: string, args?: unknown): Promise<unknown> };
}

/** Executes a command of JupyterLab without waiting for it: one that asks the user ends when the dialog is closed. */
export async function command(page: Page, id: string, args: Record<string, unknown> = {}): Promise<void> {
  await page.evaluate(
    ([one, values]) => {
      void (window as unknown as { jupyterapp: Lab }).jupyterapp.commands.execute(one, values);
    },
    [id, args] as const
  );
}

/** Saves the notebook in front and waits until it is on disk. */
export async function save(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await (window as unknown as { jupyterapp: Lab }).jupyterapp.commands.execute('docmanager:save');
  });
}

/** Opens a notebook that is a file and waits for its kernel. */
export async function openNotebook(page: Page, name: string): Promise<void> {
  await command(page, 'docmanager:open', { path: name });
  await expect(page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell').first()).toBeVisible();
  await page.waitForFunction(async () => {
    interface Panel {
      sessionContext: { ready: Promise<void>; session: { kernel: { info: Promise<unknown> } | null } | null };
    }
    const lab = (window as unknown as { jupyterapp: { shell: { currentWidget: Panel | null } } }).jupyterapp;
    const context = lab.shell.currentWidget?.sessionContext; // none while Lab puts its tabs back after a reload
    await context?.ready;
    await context?.session?.kernel?.info;
    return Boolean(context?.session?.kernel);
  });
}

/** Loads the page again, as a person does, and waits for JupyterLab. */
export async function reload(page: Page): Promise<void> {
  await page.evaluate(() => {
    (window as unknown as { before: boolean }).before = true;
    window.location.reload();
  });
  await page.waitForFunction(() => 'jupyterapp' in window && !('before' in window));
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0, { timeout: 60_000 });
}

/** Waits until a dialog has the focus, which a form takes when it is drawn: what is typed goes with it. */
export async function focused(dialog: Locator): Promise<void> {
  await expect(dialog.locator(':focus')).toHaveCount(1);
}

/** A picture of what a person sees now. */
export async function shot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
}

/** Opens the studio in the left sidebar. */
export async function openSidebar(page: Page): Promise<Locator> {
  const sidebar = page.locator(SIDEBAR);
  // JupyterLab may still be restoring its layout, which closes what was opened before.
  await expect(async () => {
    await command(page, 'mlstudio:open-studio');
    await expect(sidebar).toBeVisible({ timeout: 1000 });
  }).toPass();
  return sidebar;
}

interface Fixtures {
  api: Api;
}

/** Galata's test with the studio's API; files lie in the server's root, where the workspace is. */
export const test = galataTest.extend<Fixtures>({
  api: async ({ request }, provide, info) => {
    const api = new Api(request);
    if (info.retry > 0) {
      await api.clear();
    }
    await provide(api);
  }
});
