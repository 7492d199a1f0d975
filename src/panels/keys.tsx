/** Shows access keys the one time that they can be seen. */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { IssuedKeys } from '../api/types';
import type { Execute } from '../tokens';

export async function showKeys(issued: IssuedKeys, execute: Execute): Promise<void> {
  const { IssuedKeys: Keys } = await import('../views/endpoints');
  const body = ReactWidget.create(<Keys keys={issued.keys} execute={execute} />);
  await showDialog({
    title: `Keys of ${issued.endpoint.name}`,
    body,
    buttons: [Dialog.okButton({ label: 'Done' })]
  });
}
