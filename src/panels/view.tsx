/** Shells in the main area: one view of one thing, loaded when it is first shown. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Component, type ComponentType, type JSX, type ReactNode, Suspense, lazy } from 'react';
import type { StudioModel } from '../models/studio';
import type { Execute } from '../tokens';
import { ErrorBox } from '../views/common/notices';

/** What every view gets besides the arguments that say which thing it shows. */
export interface ViewProps {
  studio: StudioModel;
  execute: Execute;
}

/** Shows what broke in a view instead of an empty tab, and draws it again on request. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override state: { error: Error | null } = { error: null };

  override render(): ReactNode {
    const { error } = this.state;
    return error ? (
      <ErrorBox
        what="This view could not be drawn"
        error={error}
        retry={() => this.setState({ error: null })}
      />
    ) : (
      this.props.children
    );
  }
}

/** A React view in a Lumino widget; `args` says which thing it shows and restores it. */
export class ViewPanel<Args extends ReadonlyPartialJSONObject> extends ReactWidget {
  constructor(
    private _args: Args,
    private readonly props: ViewProps,
    load: () => Promise<ComponentType<ViewProps & Args>>
  ) {
    super();
    this.addClass('jp-mls-View');
    // A chunk that was not loaded is asked for again when the view is drawn anew.
    const View = lazy(async () => ({ default: await load() }));
    this.View = View as unknown as ComponentType<ViewProps & Args>;
  }

  get args(): Args {
    return this._args;
  }

  /** Shows another thing, or another side of the same one. */
  display(args: Args): void {
    this._args = args;
    this.update();
  }

  protected override render(): JSX.Element {
    const { View } = this;
    return (
      <Boundary>
        <Suspense fallback={<div className="jp-mls-Loading">Reading …</div>}>
          <View {...this.props} {...this.args} />
        </Suspense>
      </Boundary>
    );
  }

  private readonly View: ComponentType<ViewProps & Args>;
}

/** A view in a tab of its own. */
export class StudioWidget<Args extends ReadonlyPartialJSONObject> extends MainAreaWidget<ViewPanel<Args>> {
  constructor(content: ViewPanel<Args>) {
    super({ content });
    this.toolbar.hide();
    this.title.closable = true;
  }

  get args(): Args {
    return this.content.args;
  }
}
