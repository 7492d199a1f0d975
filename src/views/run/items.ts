/** Items of the menu of a run that has others below it: an AutoML run, a sweep. */
import { type Run, isEnded } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import type { MenuItem } from './menu';

/** Copies it, and deletes it; `copy` is the command that copies its code, `noun` what it is. */
export function runItems(run: Run, execute: Execute, copy: string, noun: string): MenuItem[] {
  const args = { id: run.id };
  const ended = isEnded(run.status);
  return [
    { label: 'Copy id', run: () => execute(CommandIDs.copyText, { text: run.id }) },
    { label: 'Copy as Python', run: () => execute(copy, { ...args, format: 'python' }) },
    { label: 'Copy as YAML', run: () => execute(copy, { ...args, format: 'yaml' }) },
    {
      label: 'Delete …',
      danger: true,
      disabled: !ended,
      title: ended ? `Deletes the ${noun} and its files` : `Stop the ${noun} first`,
      run: () => execute(CommandIDs.deleteRun, args)
    }
  ];
}
