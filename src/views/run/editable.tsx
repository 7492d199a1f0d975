/** Text that is changed where it stands. */
import { editIcon } from '@jupyterlab/ui-components';
import { type JSX, type ReactNode, useState } from 'react';
import { StudioError } from '../../api/client';
import { Button, ErrorBox } from '../common';

export interface EditableProps {
  value: string;
  /** What is edited, for the button and for screen readers. */
  what: string;
  /** How it looks while it is not edited. */
  children: ReactNode;
  lines?: number;
  required?: boolean;
  save: (value: string) => Promise<void>;
}

/** Shows a text with a pencil; editing ends with Enter (Ctrl+Enter when it has lines) or Escape. */
export function Editable({ value, what, children, lines = 1, required, save }: EditableProps): JSX.Element {
  const [text, setText] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<StudioError | null>(null);
  if (text === null) {
    return (
      <span className="jp-mls-Editable">
        {children}
        <Button minimal icon={editIcon} title={`Edit ${what}`} onClick={() => setText(value)} />
      </span>
    );
  }
  const stop = (): void => {
    setText(null);
    setError(null);
  };
  const submit = async (): Promise<void> => {
    setBusy(true);
    try {
      if (text !== value) {
        await save(text);
      }
      stop();
    } catch (why) {
      setError(StudioError.from(why));
    } finally {
      setBusy(false);
    }
  };
  const valid = !required || text.trim() !== '';
  const field = {
    value: text,
    'aria-label': what,
    autoFocus: true,
    disabled: busy,
    onChange: (event: { target: { value: string } }) => setText(event.target.value),
    onKeyDown: (event: { key: string; ctrlKey: boolean; metaKey: boolean; stopPropagation: () => void }) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        stop();
      } else if (event.key === 'Enter' && valid && (lines === 1 || event.ctrlKey || event.metaKey)) {
        void submit();
      }
    }
  };
  return (
    <span className="jp-mls-Editable jp-mod-editing">
      {lines > 1 ? (
        <textarea className="jp-mls-Input" rows={lines} {...field} />
      ) : (
        <input className="jp-mls-Input" {...field} />
      )}
      <Button primary disabled={busy || !valid} onClick={() => void submit()}>
        Save
      </Button>
      <Button onClick={stop}>Cancel</Button>
      {error && <ErrorBox what={`The ${what} was not changed`} error={error} />}
    </span>
  );
}
