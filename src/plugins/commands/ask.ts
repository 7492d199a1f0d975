/** Short questions: before something is destroyed, the consequence first; and for a text. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { StudioModel } from '../../models/studio';
import { showForm } from '../../panels/dialog';
import { TextForm } from '../../views/common/forms';

/** Whether the user goes on. `action` is the verb on the button. */
export async function confirmed(title: string, consequence: string, action: string): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body: consequence,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: action })],
    defaultButton: 0
  });
  return button.accept;
}

/** Asks for a text of several lines; undefined when given up. */
export function askLines(studio: StudioModel, title: string, text: string): Promise<string | undefined> {
  return showForm<{ text: string }, string>({
    title,
    action: 'Save',
    studio,
    Form: TextForm,
    initial: { text },
    submit: value => Promise.resolve(value.text)
  });
}
