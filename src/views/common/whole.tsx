/** A view of one thing that is read as a whole: an endpoint, a batch endpoint. */
import type { JSX, ReactNode } from 'react';
import type { Resource } from '../../models/resource';
import { useResource } from './hooks';
import { ErrorBox, Loading } from './notices';

/** Shows a thing, or that it is being read, or why it cannot be. What was deleted is not shown as if it were there. */
export function Whole<T>({
  what,
  resource,
  children
}: {
  /** What it is, e.g. `endpoint`. */
  what: string;
  resource: Resource<T>;
  children: (value: T) => ReactNode;
}): JSX.Element {
  const { error, value: known } = useResource(resource);
  const value = error?.status === 404 ? undefined : known;
  return (
    <>
      {error && (
        <ErrorBox
          what={value ? 'This may be out of date.' : `The ${what} cannot be shown.`}
          error={error}
          retry={() => resource.refresh()}
        />
      )}
      {!value && !error && <Loading what={`Reading the ${what}`} />}
      {value && children(value)}
    </>
  );
}
