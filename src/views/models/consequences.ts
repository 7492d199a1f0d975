/** What deleting does, said before it is done. */
import type { Model, ModelUser, ModelVersion } from '../../api/types';
import { formatBytes, plural } from '../common/format';

const NAMED_USERS = 6;

/** What has to go first, by name; aliases go with their version. */
function usersText(users: readonly ModelUser[]): string {
  const names = users
    .filter(user => user.kind !== 'alias')
    .map(user => `${user.kind} ${user.name}`)
    .filter((name, index, all) => all.indexOf(name) === index);
  if (names.length === 0) {
    return 'nothing uses it.';
  }
  const more = names.length > NAMED_USERS ? ` and ${names.length - NAMED_USERS} more` : '';
  const shown = names.slice(0, NAMED_USERS).join(', ');
  return `used by ${shown}${more}, so this will be refused: delete ${names.length === 1 ? 'that' : 'those'} first.`;
}

/** `Deletes version 2 (1.2 MB); nothing uses it.` */
export function deleteVersionText(version: ModelVersion, users: readonly ModelUser[]): string {
  const { version: number, aliases } = version;
  const freed =
    aliases.length > 0 ? `, and the ${aliases.length === 1 ? 'alias' : 'aliases'} ${aliases.join(', ')}` : '';
  return `Deletes version ${number} (${formatBytes(version.size_bytes)})${freed}; ${usersText(users)}`;
}

/** `Deletes the model churn with 3 versions; nothing uses it.` */
export function deleteModelText(model: Model, users: readonly ModelUser[]): string {
  const count = model.versions.length + model.archived_versions.length;
  return `Deletes the model ${model.name} with ${plural(count, 'version')}; ${usersText(users)}`;
}
