import { useEffect, useMemo, useReducer } from 'react';
import type { Resource } from '../../models/resource';

/** Keeps several resources fresh; they are made anew when the key changes. */
export function useResources<R extends Resource<unknown>>(make: () => R[], key: string): R[] {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the key stands for everything that `make` uses
  const resources = useMemo(make, [key]);
  useEffect(() => {
    const slot = (): void => redraw();
    const holds = resources.map(resource => {
      resource.stateChanged.connect(slot);
      return resource.retain();
    });
    redraw();
    return () => {
      resources.forEach(resource => resource.stateChanged.disconnect(slot));
      holds.forEach(hold => hold.dispose());
    };
  }, [resources]);
  return resources;
}
