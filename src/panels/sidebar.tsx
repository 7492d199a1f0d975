/** The shell of the sidebar. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { type JSX, Suspense, lazy } from 'react';
import { studioIcon } from '../views/common/icons';
import { Boundary, type ViewProps } from './view';

const Sidebar = lazy(async () => ({ default: (await import('../views/sidebar')).Sidebar }));

/** Draws nothing, and so asks for nothing, until it is shown. */
export class SidebarPanel extends ReactWidget {
  constructor(private readonly props: ViewProps) {
    super();
    this.id = 'jupyter-mlstudio-sidebar';
    this.title.icon = studioIcon;
    this.title.caption = 'ML Studio';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'ML Studio');
    this.addClass('jp-mls-SidebarPanel');
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  protected override render(): JSX.Element {
    return (
      <Boundary>
        <Suspense fallback={<div className="jp-mls-Loading">Reading …</div>}>
          {this.isVisible ? <Sidebar {...this.props} /> : <></>}
        </Suspense>
      </Boundary>
    );
  }
}
