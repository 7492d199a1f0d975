/** The head of an AutoML run: how far it is, what leads, and the next steps. */
import { type JSX, type ReactNode, useRef } from 'react';
import { type AutoMLBudget, type Candidate, type Margin, isEnded, isLive } from '../../api/types';
import { CommandIDs } from '../../tokens';
import {
  CommandButton,
  CommandLink,
  Notice,
  StatusBadge,
  ThinBar,
  formatDuration,
  formatNumber,
  grouped,
  pinIcon,
  plural,
  shortened,
  useNow,
  visible
} from '../common';
import { Best } from '../run/best';
import { Header, type RunProps } from '../run/header';
import { runItems } from '../run/items';
import { Menu } from '../run/menu';
import { type AutoMLProps, isRefused, leaderOf, metricOf, stateOf } from './board';
import { OnnxMark } from './onnx';

type HeadProps = RunProps & AutoMLProps;

/** Whether it pauses or stops; both are asked of its sweep. */
function phaseOf({ automl, run }: HeadProps): 'Paused' | 'Stopping' | null {
  const { phase } = automl;
  return !isEnded(run.status) && (phase === 'Paused' || phase === 'Stopping') ? phase : null;
}

function State(props: HeadProps): JSX.Element {
  const { run } = props;
  const phase = phaseOf(props);
  const status = phase === 'Paused' ? 'Paused' : phase === 'Stopping' ? 'CancelRequested' : run.status;
  return <StatusBadge status={status} reason={run.reason || undefined} />;
}

const MORE_MINUTES = [15, 60];

function Actions(props: HeadProps): JSX.Element {
  const { automl, run, execute } = props;
  const refused = isRefused(automl.report, run);
  const args = { id: run.id };
  const ended = isEnded(run.status);
  const phase = phaseOf(props);
  return (
    <div className="jp-mls-RunHead-actions">
      {!ended && (
        <>
          <CommandButton
            execute={execute}
            command={phase === 'Paused' ? CommandIDs.resumeSweep : CommandIDs.pauseSweep}
            args={args}
            disabled={phase === 'Stopping'}
            title={phase === 'Paused' ? 'Go on with new models' : 'Begin no new models'}
          >
            {phase === 'Paused' ? 'Resume' : 'Pause'}
          </CommandButton>
          <CommandButton
            primary
            execute={execute}
            command={CommandIDs.stopAutoML}
            args={args}
            disabled={phase === 'Stopping'}
            title="Try nothing more: the best model so far becomes the winner"
          >
            {phase === 'Stopping' ? 'Stopping' : 'Stop and keep the best'}
          </CommandButton>
        </>
      )}
      {refused && (
        <CommandButton
          primary
          execute={execute}
          command={CommandIDs.newAutoML}
          args={automl.spec.data.startsWith('runs:/') ? {} : { data: automl.spec.data }}
          title="Choose another target, other types, or another table"
        >
          New AutoML run
        </CommandButton>
      )}
      {ended && !refused && (
        <CommandButton
          execute={execute}
          command={CommandIDs.continueAutoML}
          args={{ ...args, minutes: 5 }}
          title="Go on where it ended, in a new run that knows its models"
        >
          Continue 5 more minutes
        </CommandButton>
      )}
      <Menu
        label="More"
        items={[
          ...(ended
            ? (refused ? [] : MORE_MINUTES).map(minutes => ({
                label: `Continue ${minutes} more minutes`,
                run: () => execute(CommandIDs.continueAutoML, { ...args, minutes })
              }))
            : [
                {
                  label: 'Stop and keep nothing',
                  danger: true,
                  title: 'Ends the run at once, without a winner',
                  run: () => execute(CommandIDs.stopAutoML, { ...args, keep: false })
                }
              ]),
          ...runItems(run, execute, CommandIDs.copyAutoML, 'run')
        ]}
      >
        ⋯
      </Menu>
    </div>
  );
}

/** The time that is used; between two reports the clock goes on by itself. */
function useUsed(budget: AutoMLBudget, ticking: boolean): number {
  const heard = useRef({ used: budget.used_s, at: Date.now() });
  const now = useNow(ticking ? 1000 : null);
  if (heard.current.used !== budget.used_s) {
    heard.current = { used: budget.used_s, at: now };
  }
  const since = ticking ? Math.max(0, now - heard.current.at) / 1000 : 0;
  return Math.max(budget.used_s, Math.min(budget.used_s + since, budget.timeout_s));
}

function Used({ budget, ticking }: { budget: AutoMLBudget; ticking: boolean }): JSX.Element {
  const used = useUsed(budget, ticking);
  const text = `${formatDuration(Math.round(used))} of ${formatDuration(budget.timeout_s)}`;
  return (
    <>
      <ThinBar
        share={budget.timeout_s > 0 ? used / budget.timeout_s : 0}
        label={`${text} used`}
        tone={used > budget.timeout_s * 1.05 ? 'warn' : 'live'}
      />
      <span className="jp-mls-SweepHead-count">{text}</span>
    </>
  );
}

function Progress(props: HeadProps): JSX.Element {
  const { run, automl } = props;
  const { report, spec } = automl;
  const ended = isEnded(run.status);
  const failed = report.leaderboard.filter(one => stateOf(one, run) === 'failed').length;
  const parts = [
    ended ? '' : visible(report.phase),
    report.partitions.length > 0
      ? plural(report.partitions.length, 'part')
      : plural(report.leaderboard.length, 'model'),
    failed > 0 ? `${grouped(failed)} failed` : ''
  ].filter(Boolean);
  return (
    <div className="jp-mls-RunHead-progress">
      <Used
        budget={report.budget ?? { timeout_s: spec.limits.timeout_s, used_s: 0, parts: {} }}
        ticking={isLive(run.status) && phaseOf(props) !== 'Paused' && report.budget !== null}
      />
      <span className="jp-mls-quiet">{parts.join(' · ')}</span>
    </div>
  );
}

/** Whether the best is better than the next one by more than chance. */
function Lead({ margin }: { margin: Margin }): JSX.Element {
  const { family, number, lead, low, high, within_noise: noise } = margin;
  const known = low !== null && high !== null;
  const interval = known ? `, with 95 % confidence ${formatNumber(low)} to ${formatNumber(high)}` : '';
  return (
    <span
      className={noise ? 'jp-mls-AutoML-lead jp-mls-mod-noise' : 'jp-mls-AutoML-lead jp-mls-quiet'}
      title={`The lead over ${visible(family)} (model ${number}) is ${formatNumber(lead)}${interval}${
        noise ? '. Other rows could turn the two round.' : ''
      }`}
    >
      {noise ? 'lead within the noise' : `leads by ${formatNumber(lead)}`}
    </span>
  );
}

/** What leads, and the next steps from it. */
function BestModel({ run, automl, execute, best }: HeadProps & { best: Candidate }): JSX.Element {
  const { report } = automl;
  const won = report.winner !== null && isEnded(run.status);
  return (
    <Best
      label={report.winner === null ? 'Best model so far' : 'Winner'}
      metric={metricOf(automl)}
      value={best.score}
      low={best.low}
      high={best.high}
    >
      <CommandLink
        execute={execute}
        command={CommandIDs.openRun}
        args={{ id: best.run_id }}
        title="Open the run of this model"
      >
        {shortened(visible(best.family), 60)}
      </CommandLink>
      <span className="jp-mls-SweepHead-params">
        <OnnxMark check={best.onnx} />
        {report.margin && <Lead margin={report.margin} />}
      </span>
      {won && (
        <NextSteps
          run={run}
          execute={execute}
          register="Register the winner"
          deploy="Register the winner, then serve it"
        >
          <CommandButton
            execute={execute}
            command={CommandIDs.automlNotebook}
            args={{ id: run.id }}
            title="A notebook that makes the winner again from the data"
          >
            Open as notebook
          </CommandButton>
        </NextSteps>
      )}
    </Best>
  );
}

/** The next steps from the models of parts, which become one version. */
function Many({ run, automl, execute }: HeadProps): JSX.Element | null {
  const made = automl.report.partitions.filter(part => part.score !== null && !part.failed).length;
  if (made === 0 || run.status !== 'Completed') {
    return null;
  }
  return (
    <div className="jp-mls-SweepHead-best" role="group" aria-label="Models of parts">
      <pinIcon.react tag="span" className="jp-mls-Best" aria-hidden="true" />
      <span className="jp-mls-SweepHead-value">
        <strong>{plural(made, 'model')}</strong>
      </span>
      <NextSteps
        run={run}
        execute={execute}
        register="Register the models of all parts as one version"
        deploy="Register the models, then serve them behind one endpoint: each row is answered by its part's"
      />
    </div>
  );
}

export function AutoMLHead(props: HeadProps): JSX.Element {
  const { studio, run, execute, automl } = props;
  const best = leaderOf(automl.report);
  return (
    <Header
      studio={studio}
      run={run}
      execute={execute}
      state={<State {...props} />}
      actions={<Actions {...props} />}
    >
      <Progress {...props} />
      {best && <BestModel {...props} best={best} />}
      <Many {...props} />
      {run.status === 'Failed' && (
        <Notice tone="bad">
          {isRefused(automl.report, run) ? (
            <>
              <strong>The table cannot be learnt from as it is.</strong> No model was tried; the tab Data says
              what to do.
            </>
          ) : (
            visible(run.reason || 'The run failed; the tab Logs says more.')
          )}
        </Notice>
      )}
    </Header>
  );
}

interface NextStepsProps extends Pick<HeadProps, 'run' | 'execute'> {
  register: string;
  deploy: string;
  children?: ReactNode;
}

/** Where a finished search goes on: `register` and `deploy` say what the buttons do. */
function NextSteps({ run, execute, register, deploy, children }: NextStepsProps): JSX.Element {
  const args = { runId: run.id };
  return (
    <span className="jp-mls-SweepHead-next">
      <CommandButton
        primary
        execute={execute}
        command={CommandIDs.registerModel}
        args={args}
        title={register}
      >
        Register
      </CommandButton>
      <CommandButton execute={execute} command={CommandIDs.deployRun} args={args} title={deploy}>
        Deploy
      </CommandButton>
      {children}
    </span>
  );
}
