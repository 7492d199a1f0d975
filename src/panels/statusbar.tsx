/** The shell of the status bar's item. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { JSX } from 'react';
import { CommandIDs } from '../tokens';
import { useResource } from '../views/common/hooks';
import { liveIcon } from '../views/common/icons';
import type { ViewProps } from './view';

function Live({ studio, execute }: ViewProps): JSX.Element | null {
  const count = useResource(studio.liveRuns).value?.total ?? 0;
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
