import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it } from 'vitest';
import { StudioError } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change } from '../api/types';
import { Resource } from './resource';

/** The part of a feed that resources listen to. */
class TestFeed {
  readonly ready = Promise.resolve();
  readonly changed = new Signal<this, Change[]>(this);
  readonly reset = new Signal<this, void>(this);
  readonly beat = new Signal<this, void>(this);

  change(id: string): void {
    this.changed.emit([{ seq: 1, kind: 'thing', id, deleted: false }]);
  }
}

interface Deferred {
  resolve: (value: { n: number }) => void;
  reject: (why: unknown) => void;
}

class Thing extends Resource<{ n: number }> {
  readonly waiting: Deferred[] = [];

  protected fetch(): Promise<{ n: number }> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  protected concerns({ id }: Change): boolean {
    return id === 'mine';
  }

  ask(): Promise<void> {
    return this.restart();
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.resolve();
  }
};

describe('Resource', () => {
  let feed: TestFeed;
  let thing: Thing;
  let emitted: number;

  beforeEach(() => {
    feed = new TestFeed();
    thing = new Thing(feed as unknown as Feed);
    emitted = 0;
    thing.stateChanged.connect(() => {
      emitted += 1;
    });
  });

  async function answer(n: number): Promise<void> {
    await settled();
    thing.waiting.shift()?.resolve({ n });
    await settled();
  }

  it('asks for nothing until somebody retains it', async () => {
    feed.change('mine');
    await settled();
    expect(thing.waiting).toHaveLength(0);
  });

  it('reads its value when it is retained, and is loading meanwhile', async () => {
    thing.retain();
    await settled();
    expect(thing.loading).toBe(true);
    await answer(1);
    expect(thing.value).toEqual({ n: 1 });
    expect(thing.loading).toBe(false);
  });

  it('emits only when the value differs', async () => {
    thing.retain();
    await answer(1);
    const before = emitted;
    const value = thing.value;
    feed.change('mine');
    await answer(1);
    expect(emitted).toBe(before);
    expect(thing.value).toBe(value);
    feed.change('mine');
    await answer(2);
    expect(emitted).toBe(before + 1);
  });

  it('does not care about changes of other things', async () => {
    thing.retain();
    await answer(1);
    feed.change('theirs');
    await settled();
    expect(thing.waiting).toHaveLength(0);
  });

  it('gathers what changes during a reading into one that follows', async () => {
    thing.retain();
    await settled();
    feed.change('mine');
    feed.change('mine');
    feed.change('mine');
    await settled();
    expect(thing.waiting).toHaveLength(1);
    await answer(1);
    expect(thing.waiting).toHaveLength(1);
    await answer(2);
    expect(thing.waiting).toHaveLength(0);
    expect(thing.value).toEqual({ n: 2 });
  });

  it('drops an answer to a question that has changed since', async () => {
    thing.retain();
    await settled();
    void thing.ask();
    await settled();
    const [old, fresh] = thing.waiting;
    fresh?.resolve({ n: 2 });
    await settled();
    old?.resolve({ n: 1 });
    await settled();
    expect(thing.value).toEqual({ n: 2 });
  });

  it('keeps its value beside an error, and drops the error with the next answer', async () => {
    thing.retain();
    await answer(1);
    feed.change('mine');
    await settled();
    thing.waiting.shift()?.reject(new StudioError('unavailable', 'Later.', 503));
    await settled();
    expect(thing.value).toEqual({ n: 1 });
    expect(thing.error?.code).toBe('unavailable');
    feed.reset.emit();
    await answer(1);
    expect(thing.error).toBeUndefined();
  });

  it('takes what a command answered, and drops what was read before', async () => {
    thing.retain();
    await settled();
    thing.accept({ n: 9 });
    await answer(1);
    expect(thing.value).toEqual({ n: 9 });
  });

  it('is left alone when the last view is gone, and read anew when one comes back', async () => {
    const first = thing.retain();
    const second = thing.retain();
    await answer(1);
    first.dispose();
    second.dispose();
    second.dispose();
    expect(thing.holders).toBe(0);
    feed.change('mine');
    await settled();
    expect(thing.waiting).toHaveLength(0);
    thing.retain();
    await answer(2);
    expect(thing.value).toEqual({ n: 2 });
  });
});
