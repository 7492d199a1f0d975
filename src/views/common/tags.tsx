/** Tags as chips: added by typing `name=value`, removed by their cross. */
import { closeIcon } from '@jupyterlab/ui-components';
import { type FormEvent, type JSX, useState } from 'react';
import { StudioError } from '../../api/client';
import { Button } from './buttons';
import { ErrorBox } from './notices';
import { Name } from './text';

/** Reads ``name=value``, ``name: value`` or a bare ``name``. */
export function readTag(text: string): [string, string] | null {
  const found = /^\s*([^=:]+?)\s*(?:[=:]\s*(.*?)\s*)?$/s.exec(text);
  return found?.[1] ? [found[1], found[2] ?? ''] : null;
}

/** `onChange` sets one tag, or removes it (null); what it rejects with is shown here. */
export function TagEditor(props: {
  tags: Readonly<Record<string, string>>;
  onChange: (tags: Record<string, string | null>) => Promise<void>;
}): JSX.Element {
  const [text, setText] = useState('');
  const [error, setError] = useState<StudioError | null>(null);
  const change = async (name: string, value: string | null): Promise<void> => {
    try {
      await props.onChange({ [name]: value });
      setError(null);
      setText('');
    } catch (why) {
      setError(StudioError.from(why));
    }
  };
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const tag = readTag(text);
    if (tag) {
      void change(...tag);
    }
  };
  const tags = Object.entries(props.tags).sort(([a], [b]) => a.localeCompare(b));
  return (
    <div className="jp-mls-Tags">
      {tags.map(([name, value]) => (
        <span key={name} className="jp-mls-Chip">
          <Name text={value ? `${name}: ${value}` : name} />
          <Button
            minimal
            icon={closeIcon}
            title={`Remove tag ${name}`}
            onClick={() => void change(name, null)}
          />
        </span>
      ))}
      <form onSubmit={add}>
        <input
          className="jp-mls-Input"
          value={text}
          placeholder="name=value"
          aria-label="New tag, name=value"
          onChange={event => setText(event.target.value)}
        />
        <Button type="submit" minimal disabled={readTag(text) === null}>
          Add
        </Button>
      </form>
      {error && <ErrorBox what="The tags were not changed" error={error} />}
    </div>
  );
}
