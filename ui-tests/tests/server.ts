/** A Jupyter server of a test's own, which it may kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';

import { type Page, expect } from '@playwright/test';

const LAB = path.join(__dirname, '..', 'lab.py');
const CONFIG = path.join(__dirname, '..', 'jupyter_server_test_config.py');

export class OwnServer {
  private constructor(
    readonly root: string,
    readonly port: number,
    private process: ChildProcess
  ) {}

  /** Starts a server on a folder and waits until it answers. */
  static async start(root: string, port: number): Promise<OwnServer> {
    const server = new OwnServer(root, port, launch(root, port));
    await server.answers();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends the server as a crash would: nothing is told, nothing is cleaned up. */
  async kill(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }

  /** Starts it again on the same folder and port. */
  async again(): Promise<void> {
    this.process = launch(this.root, this.port);
    await this.answers();
  }

  /** Opens JupyterLab in a page and waits for it. */
  open(page: Page, address = ''): Promise<void> {
    return openLab(page, this.url, address);
  }

  private async answers(): Promise<void> {
    await expect
      .poll(
        () =>
          fetch(`${this.url}/api`).then(
            answer => answer.status,
            () => 0
          ),
        { timeout: 60_000 }
      )
      .toBe(200);
  }
}

/** Opens the JupyterLab of a server in a page and waits for its layout. */
export async function openLab(page: Page, url: string, address = ''): Promise<void> {
  await page.goto(`${url}/lab${address}`);
  await page.waitForFunction(() => 'jupyterapp' in window);
  await page.evaluate(async () => {
    await (window as unknown as { jupyterapp: { restored: Promise<void> } }).jupyterapp.restored;
  });
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0, { timeout: 60_000 });
}

function launch(root: string, port: number): ChildProcess {
  const log = fs.openSync(path.join(root, 'server.log'), 'a');
  return spawn(process.env['MLS_PYTHON']!, [LAB, '--config', CONFIG], {
    cwd: root,
    env: { ...process.env, MLS_TEST_PORT: String(port), MLS_BASE_URL: '/', JUPYTERLAB_GALATA_ROOT_DIR: root },
    stdio: ['ignore', log, log]
  });
}
