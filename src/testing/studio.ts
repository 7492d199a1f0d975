/** A studio for unit tests: the real models and the real client, over answers that the test gives instead of a network. */
import { ServerConnection } from '@jupyterlab/services';

import { StudioModel } from '../models/studio';

/** Answers by path below the API's prefix; a function is given the query. */
export type Answers = Record<string, unknown>;

const PREFIX = 'mlstudio/api/v1/';
const NOTHING_NEW = { seq: 0, epoch: 'test', reset: false, changes: [], at: '2026-11-21T00:00:00Z' };

/** Makes a studio whose server knows these paths and refuses all others. */
export function studioWith(answers: Answers): StudioModel {
  const known: Answers = { changes: NOTHING_NEW, workspaces: [], models: [], endpoints: [], ...answers };
  const fetch = (input: RequestInfo | URL): Promise<Response> => {
    const { pathname, searchParams } = new URL(input instanceof Request ? input.url : String(input));
    const path = decodeURIComponent(pathname.slice(pathname.indexOf(PREFIX) + PREFIX.length));
    const found = path in known;
    const answer = known[path];
    const said: unknown = typeof answer === 'function' ? answer(searchParams) : answer;
    const body = found ? said : { code: 'not_found', message: `the test has no ${path}` };
    return Promise.resolve(new Response(JSON.stringify(body), { status: found ? 200 : 404 }));
  };
  return new StudioModel({
    settings: ServerConnection.makeSettings({ baseUrl: 'http://localhost:1/', fetch })
  });
}
