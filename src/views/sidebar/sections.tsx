/** A collapsible section of the sidebar, and what all its rows have in common. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { type JSX, type KeyboardEvent, type ReactNode, useId } from 'react';
import type { StudioError } from '../../api/client';
import type { StudioModel } from '../../models/studio';
import { ErrorBox, usePreference } from '../common';

export type SectionId = 'runs' | 'experiments' | 'models' | 'endpoints' | 'compute';

/** A heading that folds, with a count that says what is inside while it is folded. */
export function Section({
  studio,
  id,
  title,
  note,
  action,
  children
}: {
  studio: StudioModel;
  id: SectionId;
  title: string;
  note?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}): JSX.Element {
  const [open, setOpen] = usePreference<boolean>(studio.preferences, `sidebar.${id}`, true);
  const body = useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section className="jp-mls-Section" aria-label={title}>
      <h2>
        <button type="button" aria-expanded={open} aria-controls={body} onClick={() => setOpen(!open)}>
          <Caret.react tag="span" className="jp-mls-Section-caret" aria-hidden="true" />
          <span>{title}</span>
        </button>
        {note !== undefined && <span className="jp-mls-Section-note">{note}</span>}
        {action}
      </h2>
      <div id={body} hidden={!open}>
        {open && children}
      </div>
    </section>
  );
}

/** What a section says instead of rows. */
export function Quiet({ children }: { children: ReactNode }): JSX.Element {
  return <p className="jp-mls-Section-quiet">{children}</p>;
}

/** Rows of a resource, or why there are none. */
export function Rows<T>({
  resource,
  items,
  what,
  empty,
  row
}: {
  resource: { value: unknown; error: StudioError | undefined; refresh: () => Promise<void> };
  items: readonly T[];
  what: string;
  empty: ReactNode;
  row: (item: T) => ReactNode;
}): JSX.Element {
  if (resource.value === undefined) {
    return resource.error ? (
      <ErrorBox
        what={`The ${what} could not be read`}
        error={resource.error}
        retry={() => resource.refresh()}
      />
    ) : (
      <Quiet>Reading …</Quiet>
    );
  }
  return items.length === 0 ? <Quiet>{empty}</Quiet> : <ul className="jp-mls-Rows">{items.map(row)}</ul>;
}

/** One row: a button over its whole width, with the data that its context menu needs. */
export function Row({
  kind,
  data,
  selected,
  onOpen,
  children
}: {
  kind: string;
  data: Record<`data-${string}`, string | number>;
  selected?: boolean;
  onOpen?: () => void;
  children: ReactNode;
}): JSX.Element {
  return (
    <li>
      <button
        type="button"
        className="jp-mls-Row"
        data-mls-row={kind}
        {...data}
        aria-current={selected ? 'true' : undefined}
        onClick={onOpen}
      >
        {children}
      </button>
    </li>
  );
}

/** Arrow keys walk over all rows of the sidebar. */
export function walkRows(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-mls-Row')];
  const at = rows.findIndex(row => row === document.activeElement);
  const next = step === undefined || at < 0 ? undefined : rows[at + step];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}
