/** A model card in a tab: Markdown, drawn by Lab's own renderer, which takes out what could do harm. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { splitCard } from '../../views/models/reviews';
import { shortened, visible } from '../../views/common/format';
import { modelIcon } from '../../views/common/icons';

const MARKDOWN = 'text/markdown';

/** The metadata as text, the rest as Markdown; all of it as text where there is no renderer. */
export async function showCard(
  app: JupyterFrontEnd,
  rendermime: IRenderMimeRegistry | null,
  title: string,
  card: string
): Promise<Widget> {
  const { metadata, text } = splitCard(card);
  const content = new Widget();
  content.addClass('jp-mls-CardText');
  const head = document.createElement('details');
  head.append(Object.assign(document.createElement('summary'), { textContent: 'Metadata' }));
  head.append(Object.assign(document.createElement('pre'), { textContent: metadata }));
  content.node.append(...(metadata === '' ? [] : [head]));
  content.node.append(await drawn(rendermime, text));
  const tab = new MainAreaWidget({ content });
  tab.toolbar.hide();
  tab.title.label = shortened(visible(`${title} card`), 40);
  tab.title.icon = modelIcon;
  tab.title.closable = true;
  app.shell.add(tab, 'main', { type: 'mlstudio-card' });
  app.shell.activateById(tab.id);
  return tab;
}

async function drawn(rendermime: IRenderMimeRegistry | null, text: string): Promise<HTMLElement> {
  if (!rendermime) {
    return Object.assign(document.createElement('pre'), { textContent: text });
  }
  const renderer = rendermime.createRenderer(MARKDOWN);
  await renderer.renderModel(rendermime.createModel({ data: { [MARKDOWN]: text }, trusted: false }));
  return renderer.node;
}
