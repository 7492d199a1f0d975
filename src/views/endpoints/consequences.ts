/** What an action on an endpoint does, said before it is done. */
import type { Endpoint } from '../../api/types';

/** `churn v2`, or `churn v2 and churn v3`. */
export function deployedText({
  deployments
}: {
  deployments: readonly Pick<Endpoint['deployments'][number], 'model' | 'version'>[];
}): string {
  return deployments.map(one => `${one.model} v${one.version}`).join(' and ');
}

export function stopText({ name }: Endpoint): string {
  return `Stops ${name}: its URL answers no more requests. Name, keys and port stay; Restart brings it back.`;
}

export function restartText({ name, state }: Endpoint): string {
  return state === 'Ready' || state === 'Starting'
    ? `Stops ${name} and starts it again; requests are refused meanwhile.`
    : `Starts ${name} again with the same URL and keys.`;
}

export function deleteText(endpoint: Endpoint): string {
  const models = deployedText(endpoint);
  return `Deletes the endpoint ${endpoint.name} with its URL and keys; ${models === '' ? 'models stay.' : `${models} stays registered.`}`;
}

export function regenerateText({ name }: Endpoint, key: string): string {
  const other = key === 'primary' ? 'secondary' : 'primary';
  return `Replaces the ${key} key of ${name}: requests with the old one are refused within a second. The ${other} key goes on, so clients can move to it first.`;
}
