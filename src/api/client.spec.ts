import { describe, expect, it } from 'vitest';
import { TestServer, refused } from '../testing/server';
import { StudioError } from './client';

async function refusal(promise: Promise<unknown>): Promise<StudioError> {
  try {
    await promise;
  } catch (why) {
    expect(why).toBeInstanceOf(StudioError);
    return why as StudioError;
  }
  throw new Error('It was not refused.');
}

describe('Client', () => {
  it('asks below the base URL, with lists repeated and empty values left out', async () => {
    const server = new TestServer({ 'GET runs': () => ({ items: [], total: 0, next_page_token: null }) });
    await server.client.listRuns({ experiment_id: ['a', 'b'], q: '', kind: ['cell'], page_token: null });
    const [asked] = server.asked;
    expect(asked?.query.getAll('experiment_id')).toEqual(['a', 'b']);
    expect([...(asked?.query.keys() ?? [])]).toEqual(['experiment_id', 'experiment_id', 'kind']);
  });

  it('puts nothing into a query that the server does not know, such as a time stamp', async () => {
    const server = new TestServer({ 'GET compute': () => [] });
    await server.client.listCompute();
    expect([...(server.asked[0]?.query.keys() ?? [])]).toEqual([]);
  });

  it('makes every part of a path one segment, whatever it contains', () => {
    const { client } = new TestServer();
    expect(client.url(['models', '../a/b?c#d', 'versions', 2])).toBe(
      'http://localhost/user/al/mlstudio/api/v1/models/..%2Fa%2Fb%3Fc%23d/versions/2'
    );
    expect(client.artifactUrl('r', 'plots/a b.png')).toContain('/runs/r/files/plots/a%20b.png');
  });

  it('asks another workspace by its id', async () => {
    const server = new TestServer({ 'GET models': () => [] });
    await server.client.in('w2').listModels();
    expect(server.asked[0]?.query.get('workspace')).toBe('w2');
  });

  it('sends the etag that it holds', async () => {
    const server = new TestServer({ 'PATCH runs/r': () => ({}) });
    await server.client.updateRun('r', { name: 'new' }, 7);
    expect(server.asked[0]?.headers.get('If-Match')).toBe('7');
    expect(server.asked[0]?.body).toEqual({ name: 'new' });
  });

  it('carries code, message and status of a refusal', async () => {
    const server = new TestServer({
      'POST runs/r/stop': () => refused(409, 'conflict', 'The run has ended.')
    });
    expect(await refusal(server.client.stopRun('r'))).toMatchObject({
      code: 'conflict',
      message: 'The run has ended.',
      status: 409
    });
  });

  it('takes an error page of a proxy for what it is', async () => {
    const page = '<html><body>502 Bad Gateway</body></html>';
    const server = new TestServer({
      'GET compute': () => new Response(page, { status: 502, statusText: 'Bad Gateway' })
    });
    expect(await refusal(server.client.listCompute())).toMatchObject({
      code: 'http_502',
      message: '502 Bad Gateway',
      status: 502
    });
  });

  it('refuses an answer that is not JSON instead of handing it on', async () => {
    const server = new TestServer({ 'GET compute': () => new Response('<h1>Log in</h1>', { status: 200 }) });
    const error = await refusal(server.client.listCompute());
    expect(error.code).toBe('not_json');
    expect(error.message).toContain('<h1>Log in</h1>');
  });

  it('says that nobody answers when the network is gone', async () => {
    const server = new TestServer();
    server.down = true;
    expect(await refusal(server.client.listCompute())).toMatchObject({ code: 'unreachable', status: 0 });
  });

  it('answers nothing for an answer without content', async () => {
    const server = new TestServer({ 'DELETE runs/r': () => new Response(null, { status: 204 }) });
    expect(await server.client.deleteRun('r')).toBeUndefined();
  });
});
