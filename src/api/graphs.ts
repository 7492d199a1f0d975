/** Operations on the graphs of model versions. */
import type { Transport } from './client';
import type * as api from './types';

/** Makes the calls of one client. */
export function graphCalls({ get, send }: Transport) {
  const one = (name: string, version: string | number, last: string): (string | number)[] => [
    'models',
    name,
    'versions',
    version,
    last
  ];
  return {
    read: (name: string, version: string | number): Promise<api.Graph> => get(one(name, version, 'graph')),
    derive: (name: string, version: string | number, body: api.Derivation): Promise<api.ModelVersion> =>
      send('POST', one(name, version, 'derive'), body),
    profile: (name: string, version: string | number, batches: readonly number[]): Promise<api.Run> =>
      send('POST', one(name, version, 'profile'), { batches })
  };
}
