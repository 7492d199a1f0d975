/** What a notebook remembers of a run, when nobody can be asked about it. */
import type { JSX } from 'react';
import type { RunStatus } from '../../api/types';
import { Button, Name, StatusBadge, formatDuration, visible } from '../common';
import type { CardData } from './data';
import { Pairs } from './pairs';

/** `note` says why this is all there is; null while the server is being asked. */
export function StillCard({
  data,
  note,
  retry
}: {
  data: CardData;
  note: string | null;
  retry?: () => unknown;
}): JSX.Element {
  const { still } = data;
  return (
    <article className="jp-mls-Card jp-mls-mod-still" aria-label={`Run ${visible(data.name)}`}>
      <header className="jp-mls-Card-head">
        <Name text={data.name} className="jp-mls-Card-name" />
        {still.status && <StatusBadge status={still.status as RunStatus} reason={still.reason} />}
        {still.durationS !== null && <span>{formatDuration(still.durationS)}</span>}
        <span className="jp-mls-Card-from">
          {still.experiment && <>experiment {visible(still.experiment)}</>}
          {still.origin && <> · {visible(still.origin)}</>}
        </span>
      </header>
      <Pairs label="Parameters" pairs={still.params} className="jp-mls-Card-params" />
      <Pairs label="Metrics" pairs={still.metrics} className="jp-mls-Card-metrics" />
      {still.reason && <p className="jp-mls-Card-reason">{visible(still.reason)}</p>}
      {note && (
        <p className="jp-mls-Card-note" role="status">
          {note}{' '}
          {retry && (
            <Button minimal onClick={() => void retry()}>
              Retry
            </Button>
          )}
        </p>
      )}
    </article>
  );
}
