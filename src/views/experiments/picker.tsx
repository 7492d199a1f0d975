/** Chooses the columns of the table. */
import { type JSX, useEffect, useRef, useState } from 'react';
import type { ExperimentColumns } from '../../api/types';
import { Button, visible } from '../common';
import { type Group, RUN_COLUMNS, columnId, columnTitle } from './columns';

const MANY = 300;

export function ColumnPicker({
  known,
  columns,
  onChange,
  onReset
}: {
  known: ExperimentColumns | undefined;
  columns: readonly string[];
  onChange: (columns: string[]) => void;
  onReset: () => void;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const close = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', close, true);
    return () => document.removeEventListener('pointerdown', close, true);
  }, [open]);
  const groups: [title: string, group: Group, names: readonly string[]][] = [
    ['Run', 'run', Object.keys(RUN_COLUMNS)],
    ['Metrics', 'metrics', known?.metrics ?? []],
    ['Parameters', 'params', known?.params ?? []],
    ['Tags', 'tags', known?.tags ?? []]
  ];
  const wanted = text.toLowerCase();
  const toggle = (id: string): void =>
    onChange(columns.includes(id) ? columns.filter(one => one !== id) : [...columns, id]);
  return (
    <div
      className="jp-mls-PopMenu"
      ref={box}
      onKeyDown={event => {
        if (event.key === 'Escape' && open) {
          event.stopPropagation();
          setOpen(false);
          box.current?.querySelector('button')?.focus();
        }
      }}
    >
      <Button aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        Columns
      </Button>
      {open && (
        <div className="jp-mls-Picker" role="dialog" aria-label="Columns">
          <input
            type="search"
            className="jp-mod-styled"
            placeholder="Search columns"
            aria-label="Search columns"
            value={text}
            autoFocus
            onChange={event => setText(event.target.value)}
          />
          <div className="jp-mls-Picker-groups">
            {groups.map(([title, group, names]) => {
              const shown = names.filter(name =>
                columnTitle(columnId(group, name)).toLowerCase().includes(wanted)
              );
              return shown.length === 0 ? null : (
                <fieldset key={group}>
                  <legend>{title}</legend>
                  {shown.slice(0, MANY).map(name => (
                    <label key={name} title={visible(name)}>
                      <input
                        type="checkbox"
                        checked={columns.includes(columnId(group, name))}
                        onChange={() => toggle(columnId(group, name))}
                      />
                      <span>{visible(columnTitle(columnId(group, name)))}</span>
                    </label>
                  ))}
                  {shown.length > MANY && <small>{shown.length - MANY} more: search for them</small>}
                </fieldset>
              );
            })}
          </div>
          <Button minimal onClick={onReset}>
            Back to the first choice
          </Button>
        </div>
      )}
    </div>
  );
}
