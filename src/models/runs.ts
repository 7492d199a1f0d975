/** Lists of runs. */
import { JSONExt } from '@lumino/coreutils';
import { type Client, StudioError } from '../api/client';
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
    private pageSize = PAGE_SIZE
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

  /** How many runs are read at first and with each `more`. */
  setPageSize(size: number): void {
    if (size !== this.pageSize) {
      this.pageSize = size;
      this._wanted = size;
      if (this.holders > 0) {
        void this.restart();
      }
    }
  }

  /** Reads the next page, if there is one, and appends it. */
  more(): Promise<void> {
    this._more ??= this.append().finally(() => {
      this._more = undefined;
    });
    return this._more;
  }

  private async append(): Promise<void> {
    const page = this.value;
    if (!page?.next_page_token) {
      return;
    }
    const query = this._query;
    const token = page.next_page_token;
    try {
      const next = await this.client.listRuns({ ...query, max_results: this.pageSize, page_token: token });
      const now = this.value;
      if (now && query === this._query && now.next_page_token === token) {
        const known = new Set(now.items.map(run => run.id));
        const items = [...now.items, ...next.items.filter(run => !known.has(run.id))];
        this._wanted = Math.max(this._wanted, items.length);
        this.accept({ ...next, items });
      }
    } catch (why) {
      this.settle(undefined, StudioError.from(why));
    }
  }

  /** Reading thousands of rows again is worth a longer pause. */
  protected override get pauseMs(): number {
    return this._wanted <= 2 * PAGE_SIZE ? 500 : this._wanted <= LARGEST_PAGE ? 1000 : 5000;
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
  private _more: Promise<void> | undefined;
}
