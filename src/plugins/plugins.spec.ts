import { Notification } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { ContextMenu } from '@lumino/widgets';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import plugins from '../index';
import { someRun } from '../testing/run';
import { TestServer, refused } from '../testing/server';
import { CommandIDs } from '../tokens';
import { commandsPlugin } from './commands';
import { requestFor } from './commands/submit';
import { sidebarPlugin } from './sidebar';
import { viewsPlugin } from './views';

/** The part of Lab that the plugins without optional services need. */
function labOf(): JupyterFrontEnd {
  const commands = new CommandRegistry();
  const shell = {
    add: () => {},
    activateById: () => {},
    currentChanged: new Signal({}),
    currentWidget: null
  };
  const contextMenu = new ContextMenu({ commands });
  return { commands, shell, contextMenu, contextMenuHitTest: () => undefined } as unknown as JupyterFrontEnd;
}

describe('Plugins', () => {
  let app: JupyterFrontEnd;
  let server: TestServer;

  beforeEach(async () => {
    Notification.dismiss();
    app = labOf();
    server = new TestServer();
    const studio = server.studio();
    for (const plugin of [commandsPlugin, viewsPlugin, sidebarPlugin]) {
      await plugin.activate(app, studio, ...new Array<null>(plugin.optional?.length ?? 0).fill(null));
    }
  });

  it('have ids of their own, and say what they are for', () => {
    const ids = plugins.map(plugin => plugin.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const plugin of plugins) {
      expect(plugin.id).toMatch(/^jupyter_mlstudio:/);
      expect(plugin.description).toBeTruthy();
    }
  });

  it('provide every command that a view may call, each described', async () => {
    for (const id of Object.values(CommandIDs)) {
      expect(app.commands.hasCommand(id), id).toBe(true);
      expect(app.commands.label(id), id).not.toBe('');
      expect(app.commands.caption(id), id).not.toBe('');
      const { args } = await app.commands.describedBy(id);
      expect(args?.['type'], id).toBe('object');
    }
  });

  it('stop a run through the server', async () => {
    server.set('POST runs/r1/stop', () => someRun({ status: 'CancelRequested' }));
    await app.commands.execute(CommandIDs.stopRun, { id: 'r1' });
    expect(server.count('POST runs/r1/stop')).toBe(1);
  });

  it('end an AutoML run without a winner by asking twice, and one that waits by asking once', async () => {
    server.set('POST runs/r1/stop', () => someRun({ status: 'Running' }));
    await app.commands.execute(CommandIDs.stopAutoML, { id: 'r1', keep: false });
    expect(server.count('POST runs/r1/stop')).toBe(2);
    server.set('POST runs/r2/stop', () => someRun({ status: 'Canceled' }));
    await app.commands.execute(CommandIDs.stopAutoML, { id: 'r2', keep: false });
    expect(server.count('POST runs/r2/stop')).toBe(1);
  });

  it('tell the user what was refused, and do not throw', async () => {
    server.set('POST runs/r1/stop', () => refused(409, 'conflict', 'The run has ended.'));
    await app.commands.execute(CommandIDs.stopRun, { id: 'r1' });
    expect(Notification.manager.notifications[0]?.message).toBe('Stop: The run has ended.');
  });

  it('tell the user when an argument is missing', async () => {
    await app.commands.execute(CommandIDs.retryRun, {});
    expect(Notification.manager.notifications[0]?.message).toContain('needs id');
  });

  it('refuse to download from elsewhere', async () => {
    await app.commands.execute(CommandIDs.download, { url: 'https://example.org/x', path: 'x' });
    expect(Notification.manager.notifications[0]?.message).toContain('is not below');
  });

  it('answer a scoring request with its error instead of a notification', async () => {
    server.set('POST endpoints/e/score', () => refused(503, 'unavailable', 'It starts.'));
    const outcome = await app.commands.execute(CommandIDs.scoreEndpoint, {
      name: 'e',
      request: { inputs: [] }
    });
    expect(outcome).toEqual({ error: { code: 'unavailable', message: 'It starts.', status: 503 } });
  });

  it('run a file in the folder that it lies in', () => {
    expect(requestFor('nb/report.ipynb', true).spec).toEqual({ notebook: 'report.ipynb', folder: 'nb' });
    expect(requestFor('train.py', false).spec).toEqual({ script: 'train.py', folder: '' });
  });
});
