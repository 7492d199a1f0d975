/** Questions before something is destroyed: the consequence first. */
import { Dialog, showDialog } from '@jupyterlab/apputils';

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
