/** Name, counts, primary metric and best run of an experiment. */
import type { JSX } from 'react';
import type { Experiment } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { CommandLink, MenuButton, Name, Num, experimentIcon, plural, visible } from '../common';
import { SYSTEM_METRIC } from '../sidebar/runrow';

export function ExperimentHead({
  experiment,
  metrics,
  execute
}: {
  experiment: Experiment;
  metrics: readonly string[];
  execute: Execute;
}): JSX.Element {
  const { id, primary_metric: primary, goal, best_run: best } = experiment;
  const change = (fields: Record<string, string | null>): void =>
    void execute(CommandIDs.editExperiment, { id, change: fields });
  const names = metrics.filter(name => !SYSTEM_METRIC.test(name) || name === primary);
  const known = primary === null || names.includes(primary) ? names : [primary, ...names];
  return (
    <header className="jp-mls-Head">
      <experimentIcon.react tag="span" className="jp-mls-Row-icon" aria-hidden="true" />
      <h1>
        <Name text={experiment.name} />
      </h1>
      <span className="jp-mls-quiet">
        {plural(experiment.run_count, 'run')}
        {experiment.live_count > 0 && `, ${experiment.live_count} live`}
      </span>
      <label className="jp-mls-Inline">
        <span>Primary metric</span>
        <select
          className="jp-mod-styled"
          value={primary ?? ''}
          onChange={event => change({ primary_metric: event.target.value || null })}
        >
          <option value="">none</option>
          {known.map(name => (
            <option key={name} value={name}>
              {visible(name)}
            </option>
          ))}
        </select>
        <select
          className="jp-mod-styled"
          aria-label="Goal"
          value={goal}
          disabled={primary === null}
          onChange={event => change({ goal: event.target.value })}
        >
          <option value="maximize">higher is better</option>
          <option value="minimize">lower is better</option>
        </select>
      </label>
      {best && (
        <span className="jp-mls-Inline">
          best{' '}
          <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: best.run_id }}>
            <Name text={best.name} />
          </CommandLink>
          <Num value={best.value} />
        </span>
      )}
      <MenuButton
        title="More"
        execute={execute}
        items={[
          { command: CommandIDs.editExperiment, label: 'Rename …', args: { id } },
          { command: CommandIDs.archiveExperiment, label: 'Archive', args: { id } }
        ]}
      >
        …
      </MenuButton>
    </header>
  );
}
