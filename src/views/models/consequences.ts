/** What deleting does, said before it is done. */
import type { Endpoint, Model, ModelVersion } from '../../api/types';
import { formatBytes, plural } from '../common/format';

function usedBy(endpoints: readonly Endpoint[], name: string, version?: number): string[] {
  return endpoints
    .filter(endpoint =>
      endpoint.deployments.some(
        one => one.model === name && (version === undefined || one.version === version)
      )
    )
    .map(endpoint => endpoint.name);
}

function usersText(names: readonly string[], it: string): string {
  return names.length === 0
    ? `no endpoint uses ${it}.`
    : `the ${names.length === 1 ? 'endpoint' : 'endpoints'} ${names.join(', ')} ${names.length === 1 ? 'uses' : 'use'} ${it}, so this will be refused: delete ${names.length === 1 ? 'that endpoint' : 'those endpoints'} first.`;
}

/** `Deletes version 2 (1.2 MB); no endpoint uses it.` */
export function deleteVersionText(version: ModelVersion, endpoints: readonly Endpoint[]): string {
  const { model, version: number, aliases } = version;
  const freed =
    aliases.length > 0 ? `, and the ${aliases.length === 1 ? 'alias' : 'aliases'} ${aliases.join(', ')}` : '';
  return `Deletes version ${number} (${formatBytes(version.size_bytes)})${freed}; ${usersText(usedBy(endpoints, model, number), 'it')}`;
}

/** `Deletes the model churn with 3 versions; no endpoint uses it.` */
export function deleteModelText(model: Model, endpoints: readonly Endpoint[]): string {
  return `Deletes the model ${model.name} with ${plural(model.versions.length, 'version')}; ${usersText(usedBy(endpoints, model.name), 'it')}`;
}
