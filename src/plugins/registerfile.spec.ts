import { describe, expect, it } from 'vitest';

import type { Client } from '../api/client';
import { type Answer, type Question, TestServer, refused } from '../testing/server';
import { registerFiles } from './commands/registerfile';

const FIELDS = { upload: true, path: '', name: 'risk', alias: '', allowCode: false };
const FILES = [new File(['{}'], 'risk.json')];

/** A server that takes uploads; what it was asked besides registering, with the id of the upload left out. */
function serverThat(register: Answer): { client: Client; told: () => string[] } {
  const server = new TestServer({ 'POST models': register });
  const take = ({ what }: Question): void => {
    server.set(what, () => ({ path: 'risk.json', size_bytes: 2, sha256: '' }));
  };
  const client = new Proxy(server.client, {
    get: (target, name, receiver) => {
      const call = Reflect.get(target, name, receiver) as unknown;
      if (name !== 'uploadModelFile' && name !== 'discardUpload') {
        return call;
      }
      return (upload: string, ...rest: unknown[]): unknown => {
        const path = name === 'uploadModelFile' ? `/files/${String(rest[0])}` : '';
        const method = name === 'uploadModelFile' ? 'PUT' : 'DELETE';
        take({ what: `${method} model-uploads/${upload}${path}` } as Question);
        return (call as (...args: unknown[]) => unknown)(upload, ...rest);
      };
    }
  });
  const told = (): string[] =>
    server.asked
      .map(({ what }) => what.replace(/[0-9a-f]{32}/, 'ID'))
      .filter(what => what.includes('model-uploads'));
  return { client, told };
}

describe('registering files', () => {
  it('sends them first, and registers what was sent', async () => {
    const bodies: unknown[] = [];
    const { client, told } = serverThat(({ body }) => {
      bodies.push(body);
      return { model: 'risk', version: 1 };
    });
    await registerFiles(client, { request: { name: 'risk' }, files: FILES, fields: FIELDS });
    expect(told()).toEqual(['PUT model-uploads/ID/files/risk.json']);
    expect(bodies[0]).toMatchObject({ name: 'risk' });
    expect((bodies[0] as { upload: string }).upload).toHaveLength(32);
  });

  it('keeps the folders below the one that was chosen', async () => {
    const { client, told } = serverThat(() => ({ model: 'risk', version: 1 }));
    const files = ['saved/MLmodel', 'saved/data/model/weights.json'].map(path =>
      Object.defineProperty(new File(['{}'], path.split('/').at(-1)!), 'webkitRelativePath', { value: path })
    );
    await registerFiles(client, { request: { name: 'risk' }, files, fields: FIELDS });
    expect(told()).toEqual([
      'PUT model-uploads/ID/files/MLmodel',
      'PUT model-uploads/ID/files/data/model/weights.json'
    ]);
  });

  it('removes what was sent when it is refused', async () => {
    const { client, told } = serverThat(() => refused(415, 'wrong_type', 'It is an archive.'));
    await expect(
      registerFiles(client, { request: { name: 'risk' }, files: FILES, fields: FIELDS })
    ).rejects.toThrow('It is an archive.');
    expect(told().at(-1)).toBe('DELETE model-uploads/ID');
  });

  it('of the workspace sends nothing', async () => {
    const { client, told } = serverThat(() => ({ model: 'risk', version: 1 }));
    await registerFiles(client, { request: { name: 'risk', file: 'a.onnx' }, files: [], fields: FIELDS });
    expect(told()).toEqual([]);
  });
});
