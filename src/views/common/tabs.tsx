/** Tabs by the ARIA pattern. */
import { type JSX, type KeyboardEvent, type ReactNode, useId, useRef } from 'react';

export interface Tab<Id extends string = string> {
  id: Id;
  label: string;
  /** A short number or word behind the label. */
  note?: string | number | undefined;
}

/** Tabs by the ARIA pattern: arrow keys move, the panel is named by its tab. */
export function Tabs<Id extends string>({
  tabs,
  selected,
  onSelect,
  label,
  children
}: {
  tabs: readonly Tab<Id>[];
  selected: Id;
  onSelect: (id: Id) => void;
  label: string;
  children: ReactNode;
}): JSX.Element {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(tab => tab.id === selected);
    const last = tabs.length - 1;
    const target: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last
    };
    const next = target[event.key];
    const tab = next === undefined ? undefined : tabs[next];
    if (tab) {
      event.preventDefault();
      onSelect(tab.id);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next ?? 0]?.focus();
    }
  };
  return (
    <div className="jp-mls-Tabs">
      <div className="jp-mls-Tabs-bar" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}`}
            aria-selected={tab.id === selected}
            aria-controls={`${base}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
            {tab.note !== undefined && <span className="jp-mls-Tabs-note">{tab.note}</span>}
          </button>
        ))}
      </div>
      <div
        className="jp-mls-Tabs-panel"
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-${selected}`}
      >
        {children}
      </div>
    </div>
  );
}
