import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Feed } from '../api/feed';
import type { RunSummary } from '../api/types';
import { TestServer, refused } from '../testing/server';
import { RunsModel } from './runs';

const COUNT = 2500;
const RUNS = Array.from({ length: COUNT }, (_, index) => ({ id: `r${index}` }) as RunSummary);

describe('RunsModel', () => {
  let server: TestServer;
  let feed: Feed;
  let runs: RunsModel;

  beforeEach(() => {
    server = new TestServer({
      'GET runs': ({ query }) => {
        const from = Number(query.get('page_token') ?? 0);
        const to = from + Number(query.get('max_results'));
        return { items: RUNS.slice(from, to), total: COUNT, next_page_token: to < COUNT ? String(to) : null };
      }
    });
    feed = new Feed(server.client);
    runs = new RunsModel(feed, server.client, { q: 'a' });
  });

  afterEach(() => {
    runs.dispose();
    feed.dispose();
  });

  it('reads page by page, without reading the earlier ones again', async () => {
    await runs.refresh();
    await runs.more();
    await runs.more();
    expect(runs.value?.items).toHaveLength(300);
    expect(new Set(runs.value?.items.map(run => run.id)).size).toBe(300);
    expect(server.count('GET runs')).toBe(3);
  });

  it('reads one page for many calls at once', async () => {
    await runs.refresh();
    await Promise.all([runs.more(), runs.more(), runs.more()]);
    expect(runs.value?.items).toHaveLength(200);
  });

  it('keeps what has been read when it is read anew, in few requests', async () => {
    await runs.refresh();
    for (let page = 0; page < 12; page += 1) {
      await runs.more();
    }
    const before = server.count('GET runs');
    await runs.refresh();
    expect(runs.value?.items).toHaveLength(1300);
    expect(server.count('GET runs') - before).toBe(2);
  });

  it('begins anew with another question', async () => {
    await runs.refresh();
    await runs.more();
    await runs.setQuery({ q: 'b' });
    expect(runs.value?.items).toHaveLength(100);
    expect(server.asked.at(-1)?.query.get('q')).toBe('b');
  });

  it('keeps the list when a page is refused', async () => {
    await runs.refresh();
    server.set('GET runs', () => refused(503, 'unavailable', 'Later.'));
    await runs.more();
    expect(runs.value?.items).toHaveLength(100);
    expect(runs.error?.code).toBe('unavailable');
  });
});
