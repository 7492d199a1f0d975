/** For tests: a server at the other end of the real client, which answers what the test says and can go away. */
import { ServerConnection } from '@jupyterlab/services';
import { Client } from '../api/client';
import { StudioModel } from '../models/studio';

export interface Question {
  /** `METHOD path`, as in the table of answers. */
  what: string;
  method: string;
  /** Below the API's prefix, decoded. */
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

export type Answer = (question: Question) => unknown;

/** What the server knows, by `METHOD path`; all else is not found. */
export type Answers = Record<string, Answer>;

/** Answers `METHOD path` from a table; a `Response` is passed on as it is, anything else as JSON. */
export class TestServer {
  constructor(private readonly answers: Answers = {}) {
    this.answers = {
      'GET changes': () => ({ seq: 1, epoch: 'e', reset: false, changes: [], at: '' }),
      ...answers
    };
  }

  /** While true, nobody answers at all. */
  down = false;

  readonly asked: Question[] = [];

  readonly client = new Client(
    ServerConnection.makeSettings({
      baseUrl: 'http://localhost/user/al/',
      fetch: (input: RequestInfo | URL) => this.fetch(input as Request),
      Request,
      Headers
    })
  );

  /** A studio of its own that talks to this server. */
  studio(): StudioModel {
    return new StudioModel({ client: this.client });
  }

  set(what: string, answer: Answer): void {
    this.answers[what] = answer;
  }

  /** How often something was asked. */
  count(what: string): number {
    return this.asked.filter(one => one.what === what).length;
  }

  private async fetch(request: Request): Promise<Response> {
    if (this.down) {
      throw new TypeError('Failed to fetch');
    }
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname.replace('/user/al/mlstudio/api/v1/', ''));
    const text = await request.text();
    const what = `${request.method} ${path}`;
    const question: Question = {
      what,
      method: request.method,
      path,
      query: url.searchParams,
      body: text === '' ? undefined : JSON.parse(text),
      headers: request.headers
    };
    this.asked.push(question);
    const answer = this.answers[what];
    if (!answer) {
      return refused(404, 'not_found', `There is no ${what}.`);
    }
    const value = await answer(question);
    return value instanceof Response ? value : new Response(JSON.stringify(value), { status: 200 });
  }
}

/** The server's answer to a request that it refuses. */
export function refused(status: number, code: string, message: string): Response {
  return new Response(JSON.stringify({ code, message }), { status });
}
