/** A button that opens a short list of commands. */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { type JSX, type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Execute } from '../../tokens';
import { Button } from './buttons';

export interface MenuItem {
  command: string;
  label: string;
  args?: ReadonlyPartialJSONObject;
  disabled?: boolean;
}

/** Opens on click, Enter or arrow down; arrow keys walk, Escape and a click elsewhere close. */
export function MenuButton({
  items,
  execute,
  title,
  icon,
  children
}: {
  items: readonly MenuItem[];
  execute: Execute;
  title: string;
  icon?: LabIcon;
  children?: ReactNode;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const close = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', close, true);
    return () => document.removeEventListener('pointerdown', close, true);
  }, [open]);
  const walk = (event: KeyboardEvent): void => {
    const entries = [...(box.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = entries.findIndex(entry => entry === document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
      box.current?.querySelector('button')?.focus();
    } else if (step !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      if (open) {
        entries[(at + step + entries.length) % entries.length]?.focus();
      } else {
        setOpen(true);
      }
    }
  };
  return (
    <div className="jp-mls-PopMenu" ref={box} onKeyDown={walk}>
      <Button
        minimal
        {...(icon ? { icon } : {})}
        title={title}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {children}
      </Button>
      {open && (
        <ul role="menu" id={id} aria-label={title}>
          {items.map(item => (
            <li key={item.label} role="none">
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                disabled={item.disabled}
                data-command={item.command}
                onClick={() => {
                  setOpen(false);
                  void execute(item.command, item.args);
                }}
              >
                {item.label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
