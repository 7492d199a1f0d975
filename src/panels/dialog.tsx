/** A dialog around a form: its button waits until the form is complete, and what the server refused stands in it. */
import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import { type ComponentType, type JSX, Suspense, useEffect } from 'react';
import { StudioError } from '../api/client';
import type { StudioModel } from '../models/studio';
import type { Execute } from '../tokens';
import { ErrorBox } from '../views/common/notices';
import type { FormProps } from '../views/common/forms';

export interface FormDialog<T, R> {
  title: string;
  /** The word on the button that submits. */
  action: string;
  studio: StudioModel;
  Form: ComponentType<FormProps<T> & { execute?: Execute }>;
  /** Lets the form call commands, to copy for instance. */
  execute?: Execute;
  initial: Partial<T>;
  submit: (value: T) => Promise<R>;
}

/** What has the focus when a form is drawn, the first that there is. */
const FOCUS = [
  '.jp-mls-FormBody :is(input, select, textarea):enabled',
  'button.jp-mod-accept:enabled',
  'button.jp-mod-reject'
];

/** Takes the focus into a dialog once what stands before it is drawn: a form may have to be loaded first. */
function Focus({ node }: { node: HTMLElement }): null {
  useEffect(() => {
    const dialog = node.closest('.jp-Dialog');
    const found = FOCUS.map(one => dialog?.querySelector<HTMLElement>(one)).find(one => one);
    found?.focus();
  }, [node]);
  return null;
}

class FormBody<T> extends ReactWidget {
  constructor(
    private readonly options: Pick<FormDialog<T, unknown>, 'studio' | 'execute' | 'Form' | 'initial'>,
    private readonly error: StudioError | undefined
  ) {
    super();
    this.addClass('jp-mls-FormBody');
  }

  getValue(): T | null {
    return this.value;
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.allow();
  }

  protected override render(): JSX.Element {
    const { Form, studio, execute, initial } = this.options;
    return (
      <Suspense fallback={<div className="jp-mls-Loading">Reading …</div>}>
        {this.error && <ErrorBox what="This was refused" error={this.error} />}
        <Form studio={studio} initial={initial} onChange={this.take} {...(execute ? { execute } : {})} />
        <Focus node={this.node} />
      </Suspense>
    );
  }

  private readonly take = (value: T | null): void => {
    this.value = value;
    this.allow();
  };

  private allow(): void {
    const button = this.node.closest('.jp-Dialog')?.querySelector<HTMLButtonElement>('button.jp-mod-accept');
    if (button) {
      button.disabled = this.value === null;
    }
  }

  private value: T | null = null;
}

/** JupyterLab sets the focus of a body of React's by itself, a moment late, and takes it away from who types already. */
class PlainBody<T> extends Panel implements Dialog.IBodyWidget<T | null> {
  constructor(private readonly form: FormBody<T>) {
    super();
    this.addWidget(form);
  }

  getValue(): T | null {
    return this.form.getValue();
  }
}

/** Does not close by the Enter key while the form is not complete. */
class GuardedDialog<T> extends Dialog<T | null> {
  constructor(
    options: Partial<Dialog.IOptions<T | null>>,
    private readonly body: FormBody<T>,
    private readonly acceptIndex: number
  ) {
    super(options);
  }

  override resolve(index?: number): void {
    const chosen = index ?? this.acceptIndex;
    if (chosen !== this.acceptIndex || this.body.getValue() !== null) {
      super.resolve(index);
    }
  }
}

/** Shows the form until it is submitted or given up (undefined). */
export async function showForm<T, R>(options: FormDialog<T, R>): Promise<R | undefined> {
  let initial = options.initial;
  let error: StudioError | undefined;
  for (;;) {
    const body = new FormBody<T>({ ...options, initial }, error);
    const dialog = new GuardedDialog<T>(
      {
        title: options.title,
        body: new PlainBody(body),
        buttons: [Dialog.cancelButton(), Dialog.okButton({ label: options.action })]
      },
      body,
      1
    );
    dialog.addClass('jp-mls-FormDialog');
    const { button, value } = await dialog.launch();
    if (!button.accept || !value) {
      return undefined;
    }
    try {
      return await options.submit(value);
    } catch (why) {
      error = StudioError.from(why);
      initial = value;
    }
  }
}
