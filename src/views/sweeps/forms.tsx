/** Forms that steer a sweep: a point to try, limits and bounds. */
import { type JSX, useEffect, useMemo, useState } from 'react';
import type { Distribution, Space, Sweep, SweepChange, SweepLimits } from '../../api/types';
import { Field, type FormProps, visible } from '../common';
import { readValue } from '../submit/params';
import { describeDistribution, parseDistribution } from './space';
import { flattened } from './study';

type Text = Readonly<Record<string, string>>;

function optionsOf(distribution: Distribution): unknown[] | null {
  const values = distribution['type'] === 'choice' ? distribution['values'] : null;
  return Array.isArray(values) && values.every(value => typeof value !== 'object' || value === null)
    ? values
    : null;
}

export interface Point {
  sweep: Sweep;
  params: Record<string, unknown>;
}

/** Asks for values to try next; what is left empty is chosen as ever. */
export function PointForm({ initial, onChange }: FormProps<Point>): JSX.Element {
  const sweep = initial.sweep!;
  const parameters = useMemo(() => {
    const space = flattened(sweep.control.space);
    return space.size > 0
      ? [...space]
      : Object.keys(sweep.best?.params ?? {}).map((name): [string, Distribution] => [name, {}]);
  }, [sweep]);
  const [text, setText] = useState<Text>(() =>
    Object.fromEntries(
      Object.entries(initial.params ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value)
      ])
    )
  );
  useEffect(() => {
    const params = Object.fromEntries(
      parameters.flatMap(([name, distribution]) => {
        const written = (text[name] ?? '').trim();
        const option = optionsOf(distribution)?.find(one => String(one) === written);
        return written === '' ? [] : [[name, option === undefined ? readValue(written) : option]];
      })
    );
    onChange(Object.keys(params).length > 0 ? { sweep, params } : null);
  }, [parameters, text, sweep, onChange]);
  const set = (name: string, value: string): void => setText(before => ({ ...before, [name]: value }));
  return (
    <div className="jp-mls-Form">
      <p className="jp-mls-quiet">Tried before any other point. What is left empty is chosen as ever.</p>
      {parameters.map(([name, distribution]) => {
        const options = optionsOf(distribution);
        return (
          <Field
            key={name}
            label={visible(name)}
            hint={distribution['type'] ? visible(describeDistribution(distribution)) : undefined}
          >
            {props =>
              options ? (
                <select
                  {...props}
                  className="jp-mod-styled"
                  value={text[name] ?? ''}
                  onChange={event => set(name, event.target.value)}
                >
                  <option value="">(chosen)</option>
                  {options.map(one => (
                    <option key={String(one)} value={String(one)}>
                      {visible(String(one))}
                    </option>
                  ))}
                </select>
              ) : (
                <input
                  {...props}
                  className="jp-mod-styled"
                  value={text[name] ?? ''}
                  placeholder="(chosen)"
                  autoComplete="off"
                  spellCheck={false}
                  onChange={event => set(name, event.target.value)}
                />
              )
            }
          </Field>
        );
      })}
      {parameters.length === 0 && (
        <p>The parameters are known when the first trial is complete: the function names them itself.</p>
      )}
    </div>
  );
}

export interface Steering {
  sweep: Sweep;
  change: SweepChange;
}

const LIMITS = [
  ['max_total_trials', 'Trials', 'How many are tried in all.', 1],
  ['max_concurrent_trials', 'At the same time', 'How many run side by side.', 1],
  ['timeout_s', 'Sweep, time limit in minutes', 'Empty: none.', 60],
  ['trial_timeout_s', 'Trial, time limit in minutes', 'Empty: none.', 60],
  ['exit_score', 'Enough when as good as', 'Empty: go on to the last trial.', 1]
] as const;
const WHOLE: readonly string[] = ['max_total_trials', 'max_concurrent_trials'];

/** Why a limit cannot be taken. */
function limitProblem(name: string, text: string): string | undefined {
  const value = Number(text);
  if (text.trim() === '') {
    return WHOLE.includes(name) ? 'A whole number from 1 on.' : undefined;
  }
  if (!Number.isFinite(value)) {
    return 'A number.';
  }
  if (WHOLE.includes(name) && !(Number.isInteger(value) && value >= 1)) {
    return 'A whole number from 1 on.';
  }
  return name.endsWith('_s') && value <= 0 ? 'More than zero.' : undefined;
}

/** What is different from what the sweep goes by now. */
export function limitChanges(now: SweepLimits, text: Text): Partial<SweepLimits> {
  const changes: Record<string, number | null> = {};
  for (const [name, , , unit] of LIMITS) {
    const written = (text[name] ?? '').trim();
    const value = written === '' ? null : Number(written) * unit;
    if (value !== now[name]) {
      changes[name] = value;
    }
  }
  return changes;
}

/** Reads changed bounds; `problems` has those that cannot be taken. */
export function spaceChanges(now: Space, text: Text): { space: Space; problems: Record<string, string> } {
  const space: Space = {};
  const problems: Record<string, string> = {};
  for (const [name, distribution] of flattened(now)) {
    const written = text[name] ?? '';
    if (written === describeDistribution(distribution)) {
      continue;
    }
    try {
      space[name] = parseDistribution(written);
    } catch (why) {
      problems[name] = why instanceof Error ? why.message : String(why);
    }
  }
  return { space, problems };
}

/** Asks for other limits and bounds; they hold for the trials that come. */
export function LimitsForm({ initial, onChange }: FormProps<Steering>): JSX.Element {
  const sweep = initial.sweep!;
  const { limits, space } = sweep.control;
  const [text, setText] = useState<Text>(() =>
    Object.fromEntries(
      LIMITS.map(([name, , , unit]) => [name, limits[name] === null ? '' : String(limits[name] / unit)])
    )
  );
  const [bounds, setBounds] = useState<Text>(() =>
    Object.fromEntries([...flattened(space)].map(([name, one]) => [name, describeDistribution(one)]))
  );
  const changed = useMemo(() => spaceChanges(space, bounds), [space, bounds]);
  useEffect(() => {
    const wrong =
      LIMITS.some(([name]) => limitProblem(name, text[name] ?? '') !== undefined) ||
      Object.keys(changed.problems).length > 0;
    onChange(wrong ? null : { sweep, change: { limits: limitChanges(limits, text), space: changed.space } });
  }, [text, changed, limits, sweep, onChange]);
  return (
    <div className="jp-mls-Form jp-mls-SweepForm">
      <div className="jp-mls-SweepForm-pair">
        {LIMITS.map(([name, label, hint]) => (
          <Field key={name} label={label} hint={hint} problem={limitProblem(name, text[name] ?? '')}>
            {props => (
              <input
                {...props}
                className="jp-mod-styled"
                inputMode="decimal"
                autoComplete="off"
                value={text[name] ?? ''}
                onChange={event => setText({ ...text, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      {Object.keys(bounds).length > 0 && (
        <fieldset className="jp-mls-Field">
          <legend>Bounds of the parameters, for the trials that come</legend>
          {[...flattened(space)].map(([name, distribution]) => (
            <Field key={name} label={visible(name)} problem={changed.problems[name]}>
              {props => (
                <input
                  {...props}
                  className="jp-mod-styled jp-mls-mod-code"
                  autoComplete="off"
                  spellCheck={false}
                  disabled={distribution['type'] === 'choice'}
                  title={distribution['type'] === 'choice' ? 'The values of a choice stay' : undefined}
                  value={bounds[name] ?? ''}
                  onChange={event => setBounds({ ...bounds, [name]: event.target.value })}
                />
              )}
            </Field>
          ))}
        </fieldset>
      )}
    </div>
  );
}
