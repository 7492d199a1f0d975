/** Folders of a run's artifacts that hold a model. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { ArtifactEntry, Change } from '../api/types';
import { Resource } from './resource';

/** Files that mark a folder as a model: the studio's own manifest and MLflow's. */
const MANIFESTS: ReadonlySet<string> = new Set(['mlstudio.json', 'MLmodel']);
const DEEPEST = 3;
const MOST_FOLDERS = 100;

/** Paths of the model folders among a run's artifacts, shallow ones first. */
export class ModelFoldersModel extends Resource<string[]> {
  constructor(
    feed: Feed,
    private readonly client: Client,
    readonly runId: string
  ) {
    super(feed);
  }

  protected async fetch(): Promise<string[]> {
    const found: string[] = [];
    let level = [''];
    let read = 0;
    for (let depth = 0; depth <= DEEPEST && level.length > 0 && read < MOST_FOLDERS; depth++) {
      const paths = level.slice(0, MOST_FOLDERS - read);
      read += paths.length;
      const lists = await Promise.all(paths.map(path => this.entries(path)));
      level = [];
      lists.forEach((entries, index) => {
        const path = paths[index] ?? '';
        if (entries.some(entry => entry.kind === 'file' && MANIFESTS.has(entry.name))) {
          found.push(path);
        } else {
          level.push(...entries.filter(entry => entry.kind === 'folder').map(entry => entry.path));
        }
      });
    }
    return found;
  }

  protected concerns({ kind, id }: Change): boolean {
    return (kind === 'run' || kind === 'metrics') && id === this.runId;
  }

  private async entries(path: string): Promise<ArtifactEntry[]> {
    return (await this.client.listArtifacts(this.runId, { path, max_results: 1000 })).entries;
  }
}
