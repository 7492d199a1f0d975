/** One run. */
import type { JSX } from 'react';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import { ErrorBox, Loading, Name, useResource } from '../common';

export function RunView({ studio, id }: { studio: StudioModel; id: string; execute: Execute }): JSX.Element {
  const run = useResource(studio.run(id));
  if (!run.value) {
    return run.error ? (
      <ErrorBox what="The run could not be read" error={run.error} retry={() => run.refresh()} />
    ) : (
      <Loading />
    );
  }
  return <Name text={run.value.name} />;
}
