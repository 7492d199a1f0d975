import { Stream } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestServer } from '../testing/server';
import { CHANGE_EVENT, Feed } from './feed';
import type { Change } from './types';

interface Emission {
  schema_id: string;
}

function hide(hidden: boolean): void {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

describe('Feed', () => {
  let server: TestServer;
  let seq: number;
  let changes: Change[];
  let stream: Stream<unknown, Emission>;
  let feed: Feed;
  let heard: string[];

  const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const emit = (): void => stream.emit({ schema_id: CHANGE_EVENT });
  const change = (id: string): Change[] => [{ seq: ++seq, kind: 'run', id, deleted: false }];

  beforeEach(async () => {
    vi.useFakeTimers();
    hide(false);
    seq = 7;
    changes = [];
    heard = [];
    server = new TestServer({
      'GET changes': ({ query }) => ({
        seq,
        epoch: 'e1',
        reset: query.get('epoch') !== 'e1',
        changes: changes.filter(one => one.seq > Number(query.get('since'))),
        at: ''
      })
    });
    stream = new Stream<unknown, Emission>({});
    feed = new Feed(server.client, { stream } as never);
    feed.changed.connect((_, list) => heard.push(...list.map(one => one.id)));
    feed.reset.connect(() => heard.push('reset'));
    feed.connectedChanged.connect((_, connected) => heard.push(connected ? 'connected' : 'away'));
    await settle();
  });

  afterEach(() => {
    feed.dispose();
    vi.useRealTimers();
  });

  it('learns at first where the server is, and says nothing', () => {
    expect(server.count('GET changes')).toBe(1);
    expect(heard).toEqual([]);
  });

  it('asks soon after an event of the studio, once for many', async () => {
    changes = change('r1');
    emit();
    emit();
    emit();
    await settle(300);
    expect(heard).toEqual(['r1']);
    expect(server.count('GET changes')).toBe(2);
    expect(server.asked[1]?.query.get('since')).toBe('7');
  });

  it('does not ask because of other extensions’ events', async () => {
    stream.emit({ schema_id: 'https://example.org/other' });
    await settle(1000);
    expect(server.count('GET changes')).toBe(1);
  });

  it('looks by itself now and then, in case an event was lost', async () => {
    changes = change('r2');
    await settle(5100);
    expect(heard).toEqual(['r2']);
  });

  it('stays silent when nothing changed', async () => {
    await settle(60_000);
    expect(heard).toEqual([]);
  });

  it('stands by while the tab is hidden and catches up when it is shown', async () => {
    hide(true);
    const before = server.count('GET changes');
    changes = change('r3');
    await settle(120_000);
    expect(server.count('GET changes')).toBe(before);
    hide(false);
    await settle(10);
    expect(heard).toEqual(['r3']);
  });

  it('says once that the server is away, asks ever more rarely, and recovers by itself', async () => {
    server.down = true;
    await settle(5100);
    expect(heard).toEqual(['away']);
    expect(feed.connected).toBe(false);
    expect(feed.error?.code).toBe('unreachable');
    await settle(60_000);
    expect(heard).toEqual(['away']);
    server.down = false;
    changes = change('r4');
    await settle(16_000);
    expect(heard).toEqual(['away', 'connected', 'r4']);
    expect(feed.error).toBeUndefined();
  });

  it('asks to read everything anew when the store is another one', async () => {
    server.set('GET changes', () => ({ seq: 1, epoch: 'e2', reset: true, changes: [], at: '' }));
    await settle(5100);
    expect(heard).toEqual(['reset']);
  });

  it('asks nothing any more once it is disposed', async () => {
    feed.dispose();
    const before = server.count('GET changes');
    emit();
    await settle(60_000);
    expect(server.count('GET changes')).toBe(before);
  });
});

describe('A feed whose server is away from the start', () => {
  it('has everything read when the server comes', async () => {
    vi.useFakeTimers();
    const server = new TestServer();
    server.down = true;
    const feed = new Feed(server.client);
    const heard: string[] = [];
    feed.reset.connect(() => heard.push('reset'));
    await feed.ready;
    server.down = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(heard).toEqual(['reset']);
    feed.dispose();
    vi.useRealTimers();
  });
});
