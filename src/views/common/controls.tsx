/** Buttons, tabs, tables, notices: Lab's own classes with what they lack. */
import { type LabIcon, copyIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import {
  type ButtonHTMLAttributes,
  type JSX,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState
} from 'react';
import type { StudioError } from '../../api/client';
import { CommandIDs, type Execute } from '../../tokens';
import { visible } from './format';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** The view's one next step. */
  primary?: boolean;
  /** Destroys something. */
  danger?: boolean;
  /** Without border or background, for rows and toolbars. */
  minimal?: boolean;
  icon?: LabIcon;
}

/** A button in Lab's look. With only an icon, give it a `title`, which is also read out. */
export function Button({
  primary,
  danger,
  minimal,
  icon: Icon,
  className = '',
  children,
  ...rest
}: ButtonProps): JSX.Element {
  const look = minimal ? 'jp-mod-minimal' : 'jp-mod-styled';
  const mode = danger ? 'jp-mod-warn' : primary ? 'jp-mod-accept' : minimal ? '' : 'jp-mod-reject';
  return (
    <button
      type="button"
      aria-label={children ? undefined : rest.title}
      {...rest}
      className={`jp-mls-Button jp-Button ${look} ${mode} ${className}`}
    >
      {Icon && <Icon.react tag="span" className="jp-mls-Button-icon" aria-hidden="true" />}
      {children}
    </button>
  );
}

export interface CommandButtonProps extends ButtonProps {
  execute: Execute;
  command: string;
  args?: ReadonlyPartialJSONObject;
}

/** A button that is a way to a command; it waits while the command is under way. */
export function CommandButton({
  execute,
  command,
  args,
  disabled,
  ...rest
}: CommandButtonProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const mounted = useRef(false);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await execute(command, args);
    } finally {
      if (mounted.current) {
        setBusy(false);
      }
    }
  };
  return (
    <Button
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      data-command={command}
      onClick={event => {
        event.stopPropagation();
        void run();
      }}
    />
  );
}

/** A name that leads to the thing's own view. */
export function CommandLink({
  execute,
  command,
  args,
  children,
  title
}: {
  execute: Execute;
  command: string;
  args?: ReadonlyPartialJSONObject;
  children: ReactNode;
  title?: string;
}): JSX.Element {
  return (
    <button
      type="button"
      className="jp-mls-Link"
      title={title}
      data-command={command}
      onClick={event => {
        event.stopPropagation();
        void execute(command, args);
      }}
    >
      {children}
    </button>
  );
}

/** Copies a text, and says so. */
export function CopyButton({
  text,
  execute,
  label,
  title = 'Copy'
}: {
  text: string;
  execute: Execute;
  label?: string;
  title?: string;
}): JSX.Element {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return undefined;
    }
    const timer = window.setTimeout(() => setCopied(false), 1500);
    return () => window.clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      minimal
      icon={copyIcon}
      title={title}
      aria-label={label ? undefined : title}
      data-command={CommandIDs.copyText}
      onClick={event => {
        event.stopPropagation();
        void execute(CommandIDs.copyText, { text }).then(() => setCopied(true));
      }}
    >
      {copied ? <span role="status">Copied</span> : label}
    </Button>
  );
}

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

/** Names and values in two columns; `copy` puts a copy button behind each text value. */
export function KeyValueTable({
  rows,
  label,
  execute,
  empty = 'None.'
}: {
  rows: readonly (readonly [string, ReactNode])[];
  label: string;
  /** Given, every text value can be copied. */
  execute?: Execute;
  empty?: string;
}): JSX.Element {
  if (rows.length === 0) {
    return <p className="jp-mls-quiet">{empty}</p>;
  }
  return (
    <table className="jp-mls-KeyValue" aria-label={label}>
      <tbody>
        {rows.map(([key, value]) => (
          <tr key={key}>
            <th scope="row" title={visible(key)}>
              {visible(key)}
            </th>
            <td>
              {typeof value === 'string' ? visible(value) : value}
              {execute && typeof value === 'string' && value !== '' && (
                <CopyButton text={value} execute={execute} title={`Copy ${visible(key)}`} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface Column<Row> {
  id: string;
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  numeric?: boolean;
}

/** A plain table for lists of modest length. */
export function Table<Row>({
  columns,
  rows,
  rowKey,
  label,
  onOpen
}: {
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  label: string;
  onOpen?: (row: Row) => void;
}): JSX.Element {
  return (
    <div className="jp-mls-TableBox">
      <table className="jp-mls-Table" aria-label={label}>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column.id} scope="col" className={column.numeric ? 'jp-mls-mod-numeric' : ''}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr
              key={rowKey(row)}
              className={onOpen ? 'jp-mls-mod-link' : ''}
              onClick={onOpen && (() => onOpen(row))}
            >
              {columns.map(column => (
                <td key={column.id} className={column.numeric ? 'jp-mls-mod-numeric' : ''}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A thin bar that shows a share of a whole; `label` is read out. */
export function ThinBar({
  share,
  label,
  tone = 'live'
}: {
  share: number;
  label: string;
  tone?: 'live' | 'warn' | 'bad';
}): JSX.Element {
  const percent = Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * 100);
  return (
    <div
      className={`jp-mls-Bar jp-mls-mod-${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      title={label}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}
