/** How the studio's commands are made: described, gathered in one palette category, and never failing silently. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { StudioError } from '../../api/client';
import type { Execute, IStudio } from '../../tokens';
import { visible } from '../../views/common/format';

export const CATEGORY = 'ML Studio';

/** An argument: what it is, and for a context menu the data attribute that holds it (`data-run` for `run`). */
export interface Arg {
  type: 'string' | 'number' | 'boolean' | 'array' | 'object';
  description: string;
  required?: boolean;
  /** The kind of thing whose row in the sidebar or a table gives the value when the argument is left out. */
  from?: 'run' | 'experiment' | 'model' | 'version' | 'endpoint' | 'batch' | 'target';
}

export interface StudioCommand {
  id: string;
  label: string;
  caption: string;
  icon?: LabIcon;
  args?: Record<string, Arg>;
  execute: (args: Arguments) => Promise<unknown>;
  /** Whether the row under the pointer allows it; asked for context menus only. */
  visible?: (row: DOMStringMap) => boolean;
}

/** Arguments of a command, read with their types; what is missing or of another type is undefined. */
export class Arguments {
  constructor(private readonly values: ReadonlyPartialJSONObject) {}

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  get(name: string): unknown {
    return this.values[name];
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  }

  number(name: string): number | undefined {
    const value = Number(this.values[name] ?? NaN);
    return Number.isFinite(value) ? value : undefined;
  }

  list(name: string): string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** A text that the command cannot do without. */
  need(name: string): string {
    const value = this.text(name);
    if (value === undefined) {
      throw new StudioError('invalid', `The command needs ${name}.`, 400);
    }
    return value;
  }
}

/** What the makers of commands work with. */
export interface Workbench {
  app: JupyterFrontEnd;
  studio: IStudio;
  execute: Execute;
}

/** Commands as views call them: what goes wrong was said by then, so this never rejects. */
export function executor(app: JupyterFrontEnd): Execute {
  return async (command, args) => {
    try {
      return await app.commands.execute(command, args);
    } catch (why) {
      tell(app.commands.label(command), why);
      return undefined;
    }
  };
}

/** Adds a command whose failure is told to the user. */
export function add(app: JupyterFrontEnd, command: StudioCommand): void {
  const properties = Object.fromEntries(
    Object.entries(command.args ?? {}).map(([name, { type, description }]) => [name, { type, description }])
  );
  const required = Object.entries(command.args ?? {})
    .filter(([, arg]) => arg.required)
    .map(([name]) => name);
  const seen = command.visible;
  app.commands.addCommand(command.id, {
    label: args => (typeof args['label'] === 'string' ? args['label'] : command.label),
    caption: command.caption,
    ...(command.icon ? { icon: command.icon } : {}),
    describedBy: { args: { type: 'object', properties, required } },
    ...(seen
      ? {
          isVisible: args => {
            const row = args['fromMenu'] === true ? rowUnderPointer(app) : undefined;
            return !row || seen(row);
          }
        }
      : {}),
    execute: async args => {
      try {
        return await command.execute(new Arguments(completed(app, command, args)));
      } catch (why) {
        tell(command.label, why);
        return undefined;
      }
    }
  });
}

/** Fills in arguments that were left out from the row under the pointer. */
function completed(
  app: JupyterFrontEnd,
  command: StudioCommand,
  args: ReadonlyPartialJSONObject
): ReadonlyPartialJSONObject {
  const row = args['fromMenu'] === true ? rowUnderPointer(app) : undefined;
  const found: Record<string, string> = {};
  for (const [name, { from }] of Object.entries(command.args ?? {})) {
    const value = from && row?.[from];
    if (value !== undefined && args[name] === undefined) {
      found[name] = value;
    }
  }
  return { ...args, ...found };
}

function rowUnderPointer(app: JupyterFrontEnd): DOMStringMap | undefined {
  return app.contextMenuHitTest(node => node.dataset['mlsRow'] !== undefined)?.dataset;
}

function tell(label: string, why: unknown): void {
  const error = StudioError.from(why);
  Notification.error(`${label}: ${visible(error.message)}`, { autoClose: 10_000 });
}
