/** Endpoints. */
import { type JSX, useEffect } from 'react';
import type { NewEndpoint } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import type { FormProps } from '../common';
import { Name, useResource } from '../common';

export function EndpointView({ name }: { studio: StudioModel; name: string; execute: Execute }): JSX.Element {
  return <Name text={name} />;
}

export function EndpointsView({ studio }: { studio: StudioModel; execute: Execute }): JSX.Element {
  const endpoints = useResource(studio.endpoints);
  return <>{endpoints.value?.map(endpoint => <Name key={endpoint.name} text={endpoint.name} />)}</>;
}

export function DeployForm({ initial, onChange }: FormProps<NewEndpoint>): JSX.Element {
  useEffect(() => onChange(null), [onChange]);
  return <p>{initial.model}</p>;
}
