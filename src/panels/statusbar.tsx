/** The shell of the status bar's item. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { JSX } from 'react';
import type { RunsModel } from '../models/runs';
import { WORK_KINDS } from '../models/studio';
import { CommandIDs } from '../tokens';
import { useResource } from '../views/common/hooks';
import { liveIcon } from '../views/common/icons';
import type { ViewProps } from './view';

/** How many runs of somebody's work are live; what serves endpoints shows there. */
export function liveCount(runs: RunsModel): number {
  return (runs.value?.items ?? []).filter(run => WORK_KINDS.includes(run.kind)).length;
}

function Live({ studio, execute }: ViewProps): JSX.Element | null {
  const count = liveCount(useResource(studio.liveRuns));
  return count > 0 ? (
    <button
      type="button"
      className="jp-mls-LiveRuns"
      title={`${count} live ML Studio ${count === 1 ? 'run' : 'runs'}`}
      onClick={() => void execute(CommandIDs.openStudio)}
    >
      <liveIcon.react tag="span" className="jp-mls-Status-icon" aria-hidden="true" />
      {count} live
    </button>
  ) : null;
}

export class LiveRunsStatus extends ReactWidget {
  constructor(private readonly props: ViewProps) {
    super();
  }

  protected override render(): JSX.Element {
    return <Live {...this.props} />;
  }
}
