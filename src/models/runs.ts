/** Lists of runs. */
import { JSONExt } from '@lumino/coreutils';
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, RunPage, RunsQuery } from '../api/types';
import { Resource } from './resource';

export const PAGE_SIZE = 100;
const LARGEST_PAGE = 1000;

/**
 * Runs that match a question, read page by page: `more()` reads on where the list ends.
 *
 * When something changes, what has been read so far is read again, in as few requests as the server allows.
 */
export class RunsModel extends Resource<RunPage> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    private _query: RunsQuery = {},
    private readonly pageSize = PAGE_SIZE
  ) {
    super(feed);
    this._wanted = pageSize;
  }

  get query(): RunsQuery {
    return this._query;
  }

  /** Asks something else; the old list stays until the new one is there. */
  setQuery(query: RunsQuery): Promise<void> {
    if (JSONExt.deepEqual({ ...query }, { ...this._query })) {
      return Promise.resolve();
    }
    this._query = query;
    this._wanted = this.pageSize;
    return this.restart();
  }

  /** Reads the next page, if there is one. */
  more(): Promise<void> {
    const page = this.value;
    if (!page?.next_page_token || this._wanted > page.items.length) {
      return Promise.resolve();
    }
    this._wanted = page.items.length + this.pageSize;
    return this.refresh();
  }

  protected async fetch(): Promise<RunPage> {
    const items: RunPage['items'] = [];
    let page: RunPage;
    let token: string | null = null;
    do {
      page = await this.client.listRuns({
        ...this._query,
        max_results: Math.min(this._wanted - items.length, LARGEST_PAGE),
        page_token: token
      });
      items.push(...page.items);
      token = page.next_page_token;
    } while (token !== null && items.length < this._wanted);
    return { ...page, items };
  }

  protected concerns({ kind, id }: Change): boolean {
    return kind === 'run' || (kind === 'metrics' && (this.value?.items.some(run => run.id === id) ?? false));
  }

  private _wanted: number;
}
