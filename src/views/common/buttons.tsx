/** Buttons and links: Lab's own classes with what they lack, and ways to commands. */
import { type LabIcon, copyIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { type ButtonHTMLAttributes, type JSX, type ReactNode, useEffect, useRef, useState } from 'react';
import { CommandIDs, type Execute } from '../../tokens';

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
