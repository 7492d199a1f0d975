import { describe, expect, it } from 'vitest';

import { type Answer, type Question, TestServer } from '../testing/server';
import { readWholeLog } from './actions';

/** A log that a test can let grow, as the server cuts it. */
function growing(text: string): { log: { text: string }; answer: Answer } {
  const log = { text };
  const answer = ({ query }: Question): unknown => {
    const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))];
    const size = log.text.length;
    const start = offset < 0 ? Math.max(0, size - limit) : Math.min(offset, size);
    const part = log.text.slice(start, start + limit);
    return { text: part, offset: start, next_offset: start + part.length, size, live: true };
  };
  return { log, answer };
}

describe('the tail of a log', () => {
  it('reads on where it ended, without asking for the same bytes twice', async () => {
    const { log, answer } = growing('one\n');
    const offsets: (string | null)[] = [];
    const studio = new TestServer({
      'GET runs/r1/logs': question => {
        offsets.push(question.query.get('offset'));
        return answer(question);
      }
    }).studio();
    const model = studio.log('r1');
    await model.refresh();
    log.text += 'two\n';
    await model.refresh();
    expect(model.value?.text).toBe('one\ntwo\n');
    expect(offsets).toEqual(['-1', '4', '4']);
    studio.dispose();
  });

  it('begins near the end of a long log and reads older parts on request', async () => {
    const { answer } = growing('x'.repeat(500_000));
    const studio = new TestServer({ 'GET runs/r1/logs': answer }).studio();
    const model = studio.log('r1');
    await model.refresh();
    expect(model.value?.offset).toBe(500_000 - 64 * 1024);
    await model.earlier();
    await model.earlier();
    expect(model.value?.offset).toBe(0);
    expect(model.value?.text).toHaveLength(500_000);
    studio.dispose();
  });

  it('goes on at the end when output comes faster than it is read', async () => {
    const { log, answer } = growing('start\n');
    const server = new TestServer({ 'GET runs/r1/logs': answer });
    const studio = server.studio();
    const model = studio.log('r1');
    await model.refresh();
    log.text += 'y'.repeat(50_000_000);
    await model.refresh();
    expect(model.value?.next_offset).toBe(log.text.length);
    expect(model.value?.text).toHaveLength(64 * 1024);
    expect(server.count('GET runs/r1/logs')).toBeLessThan(6);
    studio.dispose();
  });

  it('is read whole for the download', async () => {
    const { answer } = growing('z'.repeat(3_000_000));
    const studio = new TestServer({ 'GET runs/r1/logs': answer }).studio();
    expect(await readWholeLog(studio, 'r1')).toHaveLength(3_000_000);
    studio.dispose();
  });
});
