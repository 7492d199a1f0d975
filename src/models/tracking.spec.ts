import { describe, expect, it } from 'vitest';
import { Feed } from '../api/feed';
import { TestServer } from '../testing/server';
import { LogModel, MetricsModel } from './tracking';

describe('MetricsModel', () => {
  it('asks only for points that it does not have', async () => {
    const values = [1, 2, 3];
    const server = new TestServer({
      'GET runs/r/series': ({ query }) => {
        const after = Number(query.get('after'));
        const tail = values.slice(after);
        return query.getAll('name').map(name => ({
          name,
          steps: tail.map((_, index) => after + index),
          times: tail.map((_, index) => after + index),
          values: tail,
          total: values.length,
          sampled: false,
          non_finite: 0
        }));
      }
    });
    const feed = new Feed(server.client);
    const metrics = new MetricsModel(feed, server.client, 'r');
    metrics.want(['loss']);
    await metrics.refresh();
    values.push(4, 5);
    await metrics.refresh();
    expect(metrics.value?.get('loss')?.values).toEqual([1, 2, 3, 4, 5]);
    expect(metrics.value?.get('loss')?.steps).toEqual([0, 1, 2, 3, 4]);
    expect(
      server.asked.filter(one => one.path.endsWith('series')).map(one => one.query.get('after'))
    ).toEqual(['0', '3']);
    feed.dispose();
  });
});

describe('LogModel', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  function logOf(read: () => string): { server: TestServer; log: LogModel; feed: Feed } {
    const server = new TestServer({
      'GET runs/r/logs': ({ query }) => {
        const all = bytes(read());
        const limit = Number(query.get('limit'));
        const asked = Number(query.get('offset'));
        const offset = asked < 0 ? Math.max(0, all.length - limit) : asked;
        const part = all.slice(offset, offset + limit);
        const text = new TextDecoder().decode(part);
        return { text, offset, next_offset: offset + part.length, size: all.length, live: true };
      }
    });
    const feed = new Feed(server.client);
    return { server, feed, log: new LogModel(feed, server.client, 'r', 10) };
  }

  it('begins with the end, follows it, and reads what came before when asked', async () => {
    let text = 'one\ntwo\nthree\nfour\n';
    const { log, feed } = logOf(() => text);
    await log.refresh();
    expect(log.value?.text).toBe('hree\nfour\n');
    text += 'five\n';
    await log.refresh();
    expect(log.value?.text).toBe('hree\nfour\nfive\n');
    await log.earlier();
    expect(log.value?.text).toBe(text);
    expect(log.value?.offset).toBe(0);
    feed.dispose();
  });

  it('begins anew when the file was replaced by a shorter one', async () => {
    let text = 'a long output of the first try\n';
    const { log, feed } = logOf(() => text);
    await log.refresh();
    text = 'short\n';
    await log.refresh();
    expect(log.value?.text).toBe('short\n');
    feed.dispose();
  });
});
