/** Operations on batch endpoints. */
import type { Transport } from './client';
import type * as api from './types';

/** Makes the calls of one client. */
export function batchCalls({ get, send }: Transport) {
  const one = (name: string, ...more: string[]): string[] => ['batch-endpoints', name, ...more];
  return {
    list: (): Promise<api.BatchEndpoint[]> => get(['batch-endpoints']),
    create: (body: api.NewBatchEndpoint): Promise<api.BatchEndpoint> =>
      send('POST', ['batch-endpoints'], body),
    read: (name: string): Promise<api.BatchEndpoint> => get(one(name)),
    update: (name: string, body: api.BatchEndpointChange, etag?: number): Promise<api.BatchEndpoint> =>
      send('PATCH', one(name), body, etag),
    remove: (name: string): Promise<void> => send('DELETE', one(name)),
    deploy: (name: string, deployment: string, body: api.NewBatchDeployment): Promise<api.BatchEndpoint> =>
      send('PUT', one(name, 'deployments', deployment), body),
    removeDeployment: (name: string, deployment: string): Promise<api.BatchEndpoint> =>
      send('DELETE', one(name, 'deployments', deployment)),
    jobs: (name: string): Promise<api.RunPage> => get(one(name, 'jobs')),
    invoke: (name: string, body: api.Invocation): Promise<api.Run> => send('POST', one(name, 'jobs'), body)
  };
}
