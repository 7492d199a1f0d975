/** Paths: the server's contents, the workspace's root and where they meet. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { WorkspaceInfo } from '../api/types';
import { Resource } from './resource';

/** Looks for a file among the server's contents. */
export type FileExists = (path: string) => Promise<boolean>;

const QUICKSTARTS = ['quickstart.ipynb', 'examples/quickstart.ipynb'];

/** Where the quickstart notebook is, null when the server has none. */
export class QuickstartModel extends Resource<{ path: string | null }> {
  constructor(
    feed: Feed,
    private readonly exists: FileExists
  ) {
    super(feed);
  }

  protected async fetch(): Promise<{ path: string | null }> {
    for (const path of QUICKSTARTS) {
      if (await this.exists(path)) {
        return { path };
      }
    }
    return { path: null };
  }

  protected concerns(): boolean {
    return false;
  }
}

/**
 * The workspace's root as the server's contents name it: `''` when they are the same folder, null when the workspace
 * lies elsewhere. `serverRoot` may begin with `~`, as Jupyter shortens it.
 */
export function workspaceFolder(workspacePath: string, serverRoot: string): string | null {
  const work = slashed(workspacePath);
  const root = slashed(serverRoot);
  if (!root.startsWith('~')) {
    return below(work, root);
  }
  const tail = root.slice(1);
  for (let end = work.length; end > 0; end = work.lastIndexOf('/', end - 1)) {
    const start = work.slice(0, end);
    if (tail !== '' && start.endsWith(tail)) {
      return work.slice(end + 1);
    }
  }
  return null;
}

/** A contents path as a path below the workspace's root, null when it is not below it. */
export function inWorkspace(contentsPath: string, folder: string): string | null {
  return below(contentsPath.replace(/^\/+/, ''), folder);
}

/** A path below the workspace's root as a contents path. */
export function inContents(path: string, folder: string): string {
  return folder ? `${folder}/${path}` : path;
}

/** The current workspace's folder among the contents; null when it is not there. */
export async function currentFolder(client: Client, serverRoot: string): Promise<string | null> {
  const workspaces: WorkspaceInfo[] = await client.listWorkspaces();
  const current = workspaces.find(workspace => workspace.current);
  return current ? workspaceFolder(current.path, serverRoot) : null;
}

function below(path: string, folder: string): string | null {
  if (folder === '' || path === folder) {
    return path === folder ? '' : path;
  }
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;
}

function slashed(path: string): string {
  return path.replace(/\\/g, '/').replace(/\/+$/, '');
}
