/** What went in, what came out, where it came from. */
import type { JSX } from 'react';
import type { Run } from '../../../api/types';
import { changeRun, THRESHOLD_TAG } from '../../../models/actions';
import { KeyValueTable, formatNumber, visible, Section } from '../../common';
import { Editable } from '../editable';
import type { RunProps } from '../header';
import { SYSTEM_PREFIX } from '../metrics/groups';
import { Children } from './children';
import { EnvironmentPart } from './environment';
import { Ending } from './ending';
import { MetricsTable } from './metrics';
import { OriginPart } from './origin';
import { Tags } from './tags';
import { WhoWhen } from './who';

function paramsOf(run: Run): [string, string][] {
  return Object.entries(run.params).sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
}

/** Text of several lines with hidden characters made visible. */
function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visible).join('\n');
}

function Description({ studio, run }: RunProps): JSX.Element {
  return (
    <Editable
      value={run.description}
      what="description"
      lines={4}
      save={description => changeRun(studio, run.id, { description })}
    >
      {run.description ? (
        <span className="jp-mls-Description">{visibleLines(run.description)}</span>
      ) : (
        <span className="jp-mls-quiet">No description</span>
      )}
    </Editable>
  );
}

/** The first tab. */
export function OverviewTab(props: RunProps): JSX.Element {
  const { run, execute } = props;
  const params = paramsOf(run);
  const metrics = run.summaries.filter(one => !one.name.startsWith(SYSTEM_PREFIX));
  const threshold = run.tags[THRESHOLD_TAG];
  return (
    <div className="jp-mls-Overview">
      <Ending {...props} />
      <div className="jp-mls-Overview-columns">
        <div>
          <Section title="Description">
            <Description {...props} />
          </Section>
          <Section title="Parameters" note={params.length || undefined}>
            <KeyValueTable
              label="Parameters"
              rows={params}
              execute={execute}
              empty="No parameters. Log one with studio.log_param(name, value)."
            />
          </Section>
          <Section title="Metrics" note={metrics.length || undefined}>
            <MetricsTable summaries={metrics} />
          </Section>
          <Children {...props} />
        </div>
        <div>
          <Section title="Tags">
            <Tags {...props} />
            {threshold !== undefined && (
              <p className="jp-mls-quiet">
                Decision threshold {formatNumber(Number(threshold))}, chosen in Evaluation.
              </p>
            )}
          </Section>
          <Section title="Where from">
            <OriginPart {...props} />
          </Section>
          <Section title="Who and when">
            <WhoWhen {...props} />
          </Section>
          <Section title="Environment">
            <EnvironmentPart environment={run.environment} execute={execute} />
          </Section>
        </div>
      </div>
    </div>
  );
}
