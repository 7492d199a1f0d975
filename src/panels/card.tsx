/** The shell of a run's card: a renderer of the studio's MIME type. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type JSX, Suspense, lazy } from 'react';
import { RUN_MIME_TYPE } from '../tokens';
import { type CardData, readCard } from '../views/card/data';
import { Name } from '../views/common/text';
import { Boundary, type ViewProps } from './view';

const Card = lazy(async () => ({ default: (await import('../views/card')).RunCardView }));

/** Lives as long as its output area; what it shows comes from the server, not from the kernel. */
export class RunCard extends ReactWidget implements IRenderMime.IRenderer {
  constructor(private readonly props: ViewProps) {
    super();
    this.addClass('jp-mls-CardPanel');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.data = readCard(model.data[RUN_MIME_TYPE]);
    this.update();
    return this.renderPromise ?? Promise.resolve();
  }

  protected override render(): JSX.Element {
    const { data } = this;
    return (
      <Boundary>
        {data && (
          <Suspense
            fallback={
              <div className="jp-mls-Card">
                <Name text={data.name} />
              </div>
            }
          >
            <Card {...this.props} data={data} />
          </Suspense>
        )}
      </Boundary>
    );
  }

  private data: CardData | null = null;
}
