/** The wizard's last block: which models take part, and what the result is called. */
import type { JSX } from 'react';
import type { AutoMLTask } from '../../api/types';
import { Field } from '../common';
import type { BlockProps } from './blocks';
import { FAMILIES } from './choices';
import { TextField } from './fields';

function Families({
  task,
  blocked,
  problem,
  onChange
}: {
  task: AutoMLTask;
  blocked: readonly string[];
  problem: string | undefined;
  onChange: (blocked: string[]) => void;
}): JSX.Element {
  return (
    <fieldset className="jp-mls-Field">
      <legend>Kinds of models</legend>
      <div className="jp-mls-AutoML-families">
        {FAMILIES[task].map(name => (
          <label key={name} className="jp-mls-Choice">
            <input
              type="checkbox"
              checked={!blocked.includes(name)}
              onChange={event =>
                onChange(event.target.checked ? blocked.filter(one => one !== name) : [...blocked, name])
              }
            />
            {name}
          </label>
        ))}
      </div>
      <small className={problem ? 'jp-mls-Field-problem' : 'jp-mls-Field-hint'}>
        {problem ?? 'Those that are not installed are passed over.'}
      </small>
    </fieldset>
  );
}

/** Which models take part, and what the result is called. */
export function ModelsBlock({
  draft,
  problems,
  set,
  experiments
}: BlockProps & { experiments: readonly string[] }): JSX.Element {
  return (
    <>
      <Families
        task={draft.task}
        blocked={draft.blocked}
        problem={problems.blocked}
        onChange={blocked => set({ blocked })}
      />
      <Field label="What is made of them">
        {({ id }) => (
          <div id={id} className="jp-mls-AutoML-switches">
            <label className="jp-mls-Choice">
              <input
                type="checkbox"
                checked={draft.onnx}
                onChange={event => set({ onnx: event.target.checked })}
              />
              <span>
                ONNX only{' '}
                <small className="jp-mls-Field-hint">
                  Only models whose ONNX form answers the same; each is checked.
                </small>
              </span>
            </label>
            <label className="jp-mls-Choice">
              <input
                type="checkbox"
                checked={draft.ensembles}
                onChange={event => set({ ensembles: event.target.checked })}
              />
              <span>
                Ensembles <small className="jp-mls-Field-hint">At the end, several models together.</small>
              </span>
            </label>
          </div>
        )}
      </Field>
      <div className="jp-mls-AutoML-pair">
        <TextField
          label="Name"
          value={draft.name}
          hint="Empty: one is made up."
          onChange={name => set({ name })}
        />
        <TextField
          label="Experiment"
          value={draft.experiment}
          placeholder="Default"
          hint="A new name makes a new experiment."
          list="jp-mls-automl-experiments"
          onChange={experiment => set({ experiment })}
        />
        <datalist id="jp-mls-automl-experiments">
          {experiments.map(name => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
    </>
  );
}
