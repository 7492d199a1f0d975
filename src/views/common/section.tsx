import { type JSX, type ReactNode, useId } from 'react';
import { Name } from './text';

/** A part of a view under a heading. */
export function Section({
  title,
  note,
  children
}: {
  title: string;
  note?: ReactNode;
  children: ReactNode;
}): JSX.Element {
  const id = useId();
  return (
    <section className="jp-mls-Section" aria-labelledby={id}>
      <h3 id={id}>
        <Name text={title} />
        {note !== undefined && <span className="jp-mls-quiet"> {note}</span>}
      </h3>
      {children}
    </section>
  );
}
