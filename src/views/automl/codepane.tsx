/** The code that does what the wizard does. */
import { type JSX, useMemo, useRef, useState } from 'react';
import type { NewAutoML, TablePreview } from '../../api/types';
import { DraftCodeModel } from '../../models/automl';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import { CopyButton, ErrorBox, visible } from '../common';
import { useOwned } from '../run/own';
import { useSettled } from './settled';

type Form = 'python' | 'yaml';

const FORMS: Record<Form, readonly [label: string, hint: string]> = {
  python: ['Python', 'For a cell of a notebook, or a script.'],
  yaml: ['YAML', 'A job file, for jupyter mlstudio automl.']
};

/** The same run with its task by name, as a job file has it: what was found in the table where none is chosen. */
function withTask(request: NewAutoML, task: TablePreview['task']): NewAutoML {
  return task && !request.automl.task ? { ...request, automl: { ...request.automl, task } } : request;
}

/**
 * The code beside the choices.
 *
 * @param task - What the table was found to be for.
 * @param complete - Whether the run could begin; until then there is nothing to show.
 */
export function CodePane({
  studio,
  execute,
  request,
  task,
  complete
}: {
  studio: StudioModel;
  execute: Execute;
  request: NewAutoML;
  task: TablePreview['task'];
  complete: boolean;
}): JSX.Element {
  const [form, setForm] = useState<Form>('python');
  const [label, hint] = FORMS[form];
  const named = useMemo(() => (form === 'yaml' ? withTask(request, task) : request), [form, request, task]);
  return (
    <aside className="jp-mls-AutoML-code" aria-label="Code">
      <div className="jp-mls-AutoML-codeHead">
        <h3>Code</h3>
        <span role="group" aria-label="Language" className="jp-mls-AutoML-switch">
          {(Object.keys(FORMS) as Form[]).map(one => (
            <button key={one} type="button" aria-pressed={one === form} onClick={() => setForm(one)}>
              {FORMS[one][0]}
            </button>
          ))}
        </span>
      </div>
      {complete ? (
        <Text {...{ studio, execute, form, label }} request={named} />
      ) : (
        <p className="jp-mls-quiet">What starts this run stands here once all is chosen.</p>
      )}
      <small className="jp-mls-Field-hint">{hint}</small>
    </aside>
  );
}

function Text({
  studio,
  execute,
  request,
  form,
  label
}: {
  studio: StudioModel;
  execute: Execute;
  request: NewAutoML;
  form: Form;
  label: string;
}): JSX.Element {
  const key = useSettled(useMemo(() => JSON.stringify(request), [request]));
  const model = useOwned(
    () => new DraftCodeModel(studio.feed, studio.client, JSON.parse(key) as NewAutoML, form),
    `${form} ${key}`
  );
  // What was there stays until the new text has come.
  const last = useRef<{ form: Form; text: string } | null>(null);
  if (model.value) {
    last.current = { form, text: model.value.text };
  }
  const text = model.value?.text ?? (last.current?.form === form ? last.current.text : '');
  if (model.error && !model.value) {
    return model.error.status >= 400 && model.error.status < 500 ? (
      <p className="jp-mls-quiet">{visible(model.error.message)}</p>
    ) : (
      <ErrorBox what="The code cannot be read" error={model.error} retry={() => model.refresh()} />
    );
  }
  return (
    <>
      <CopyButton text={text} execute={execute} label="Copy" title={`Copy the ${label}`} />
      <pre className="jp-mls-Code" tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </>
  );
}
