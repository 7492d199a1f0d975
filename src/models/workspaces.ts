/** The workspaces that the server knows. */
import type { Client } from '../api/client';
import type { Feed } from '../api/feed';
import type { Change, WorkspaceInfo } from '../api/types';
import { Resource } from './resource';

/** All workspaces, the current one first. */
export class WorkspacesModel extends Resource<WorkspaceInfo[]> {
  constructor(
    feed: Feed,
    private readonly client: Client
  ) {
    super(feed);
  }

  protected fetch(): Promise<WorkspaceInfo[]> {
    return this.client.listWorkspaces();
  }

  protected concerns({ kind }: Change): boolean {
    return kind === 'workspace';
  }
}
