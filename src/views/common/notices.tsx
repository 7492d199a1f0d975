/** What a place says instead of, or above, its contents: errors, notices, nothing there, reading. */
import { refreshIcon } from '@jupyterlab/ui-components';
import type { JSX, ReactNode } from 'react';
import type { StudioError } from '../../api/client';
import { Button } from './buttons';
import { visible } from './format';

/** What went wrong, where it happened: what, why, and a way to try again. */
export function ErrorBox({
  what,
  error,
  retry
}: {
  what: string;
  error: Pick<StudioError, 'message'> & Partial<Pick<StudioError, 'code' | 'status'>>;
  retry?: (() => unknown) | undefined;
}): JSX.Element {
  return (
    <div className="jp-mls-Notice jp-mls-mod-bad" role="alert">
      <div className="jp-mls-Notice-text">
        <strong>{what}</strong>
        <span>{visible(error.message)}</span>
        {error.status ? (
          <small>
            {error.code} · HTTP {error.status}
          </small>
        ) : null}
      </div>
      {retry && (
        <Button minimal icon={refreshIcon} onClick={() => void retry()}>
          Retry
        </Button>
      )}
    </div>
  );
}

/** Something to know that is no error, such as a server that is away. */
export function Notice({
  children,
  tone = 'warn'
}: {
  children: ReactNode;
  tone?: 'info' | 'warn' | 'bad';
}): JSX.Element {
  return (
    <div className={`jp-mls-Notice jp-mls-mod-${tone}`} role="status">
      <div className="jp-mls-Notice-text">{children}</div>
    </div>
  );
}

/** Says in a sentence or two what a place is for, and offers one action. */
export function EmptyState({
  title,
  children,
  action
}: {
  title?: string;
  children: ReactNode;
  action?: ReactNode;
}): JSX.Element {
  return (
    <div className="jp-mls-Empty">
      {title && <h3>{title}</h3>}
      <p>{children}</p>
      {action}
    </div>
  );
}

/** Something is being read for the first time. */
export function Loading({ what = 'Reading' }: { what?: string }): JSX.Element {
  return (
    <div className="jp-mls-Loading" role="status">
      {what} …
    </div>
  );
}
