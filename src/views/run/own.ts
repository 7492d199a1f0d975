import { useEffect, useMemo } from 'react';
import type { Resource } from '../../models/resource';
import { useResource } from '../common';

/** A resource that only this view uses: made when the key changes, kept fresh, and disposed with the view. */
export function useOwned<R extends Resource<unknown>>(make: () => R, key: string): R {
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the key stands for everything that `make` uses
  const resource = useMemo(make, [key]);
  useEffect(() => () => resource.dispose(), [resource]);
  return useResource(resource);
}
