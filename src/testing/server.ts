/** For tests: a server at the other end of the real client, which answers what the test says and can go away. */
import { ServerConnection } from '@jupyterlab/services';
import { Client } from '../api/client';

export interface Question {
  method: string;
  /** Below the API's prefix, decoded. */
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

type Answer = (question: Question) => unknown;

/** Answers `METHOD path` from a table; a `Response` is passed on as it is, anything else as JSON. */
export class TestServer {
  constructor(private readonly answers: Record<string, Answer> = {}) {
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

  set(what: string, answer: Answer): void {
    this.answers[what] = answer;
  }

  /** How often something was asked. */
  count(what: string): number {
    return this.asked.filter(one => `${one.method} ${one.path}` === what).length;
  }

  private async fetch(request: Request): Promise<Response> {
    if (this.down) {
      throw new TypeError('Failed to fetch');
    }
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname.replace('/user/al/mlstudio/api/v1/', ''));
    const text = await request.text();
    const question: Question = {
      method: request.method,
      path,
      query: url.searchParams,
      body: text === '' ? undefined : JSON.parse(text),
      headers: request.headers
    };
    this.asked.push(question);
    const answer = this.answers[`${request.method} ${path}`];
    if (!answer) {
      return refused(404, 'not_found', `There is no ${request.method} ${path}.`);
    }
    const value = await answer(question);
    return value instanceof Response ? value : new Response(JSON.stringify(value), { status: 200 });
  }
}

/** The server's answer to a request that it refuses. */
export function refused(status: number, code: string, message: string): Response {
  return new Response(JSON.stringify({ code, message }), { status });
}
