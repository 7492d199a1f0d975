/** The header whose value keeps a caller at one deployment. */
import type { JSX } from 'react';

import type { Endpoint } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { CommandButton } from '../common';

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

/** Says why a text is no header's name; an empty one means none. */
export function headerError(text: string): string | null {
  return text.trim() === '' || TOKEN.test(text.trim())
    ? null
    : 'A header name has letters, digits and dashes, such as X-Session-Id.';
}

/** Which header it is, and a way to change it. */
export function StickyHeader({ endpoint, execute }: { endpoint: Endpoint; execute: Execute }): JSX.Element {
  const { name, sticky_header: header } = endpoint;
  return (
    <p className="jp-mls-Inline jp-mls-Sticky">
      <span className="jp-mls-quiet">Sticky header</span>
      {header === '' ? <span>none</span> : <code>{header}</code>}
      <CommandButton
        minimal
        execute={execute}
        command={CommandIDs.setStickyHeader}
        args={{ name }}
        title="Requests with the same value of this header go to the same deployment"
      >
        Change …
      </CommandButton>
    </p>
  );
}
