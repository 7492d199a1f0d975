/** Canary releases: a deployment takes the traffic over step by step, by itself, and gives it back when it is worse. */
import { type JSX, useEffect, useMemo, useState } from 'react';

import type { Canary, CanaryEvent, Endpoint, NewCanary } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import {
  type Column,
  CommandButton,
  Field,
  type FormProps,
  Name,
  Notice,
  Table,
  When,
  formatMillis,
  formatNumber
} from '../common';
import { TextInput } from '../models/register';
import { readSteps } from './shares';

const STATES: Record<Canary['state'], string> = {
  Running: 'under way',
  Promoted: 'has all traffic',
  RolledBack: 'was taken back',
  Stopped: 'was stopped'
};
const ACTIONS: Record<string, string> = {
  start: 'started',
  step: 'went on',
  promote: 'took over',
  rollback: 'went back',
  stop: 'stopped'
};

function shown(traffic: Readonly<Record<string, number>>): string {
  return Object.entries(traffic)
    .map(([name, share]) => `${name} ${share} %`)
    .join(', ');
}

function measuredText(measured: Readonly<Record<string, unknown>>): string {
  const number = (name: string): number | null => {
    const value = measured[name];
    return typeof value === 'number' ? value : null;
  };
  const parts = [
    number('requests') !== null ? `${formatNumber(number('requests'))} requests` : '',
    number('errors') ? `${formatNumber(number('errors'))} errors` : '',
    number('p95_ms') !== null ? `p95 ${formatMillis(number('p95_ms'))}` : '',
    number('disagreement') !== null ? `${((number('disagreement') ?? 0) * 100).toFixed(1)} % disagree` : ''
  ];
  return parts.filter(part => part !== '').join(', ');
}

const COLUMNS: Column<CanaryEvent>[] = [
  { id: 'at', title: 'When', cell: one => <When at={one.at} /> },
  { id: 'action', title: 'What', cell: one => ACTIONS[one.action] ?? one.action },
  { id: 'traffic', title: 'Traffic', cell: one => <Name text={shown(one.traffic)} /> },
  { id: 'why', title: 'Why', cell: one => <Name text={one.why} className="jp-mls-Wrap" /> },
  { id: 'measured', title: 'Measured', cell: one => measuredText(one.measured) }
];

/** The release that is under way or was the last, with its journal; and a way to start one. */
export function CanaryView({
  endpoint,
  execute
}: {
  endpoint: Endpoint;
  execute: Execute;
}): JSX.Element | null {
  const { canary, deployments, name } = endpoint;
  if (deployments.length < 2 && canary === null) {
    return null;
  }
  const running = canary?.state === 'Running';
  return (
    <>
      {canary === null ? (
        <p className="jp-mls-quiet">
          A canary release gives a deployment more and more of the requests, and takes them back by itself
          when it errs more, is slower or answers differently.
        </p>
      ) : (
        <>
          <Notice tone={canary.state === 'RolledBack' ? 'bad' : 'info'}>
            <Name
              text={`${canary.deployment} ${STATES[canary.state]}${running ? `: step ${canary.step + 1} of ${canary.policy.steps.length}` : ''}`}
            />
          </Notice>
          <Table
            label="Journal of the canary release"
            columns={COLUMNS}
            rows={[...canary.journal].reverse()}
            rowKey={one => `${one.at} ${one.action}`}
          />
        </>
      )}
      <div className="jp-mls-Actions">
        <CommandButton
          execute={execute}
          command={CommandIDs.startCanary}
          args={{ name }}
          disabled={running || deployments.length < 2}
        >
          Start canary release
        </CommandButton>
        <CommandButton execute={execute} command={CommandIDs.stopCanary} args={{ name }} disabled={!running}>
          Stop
        </CommandButton>
      </div>
    </>
  );
}

/** What a canary release is asked for, as it is typed. */
interface Fields {
  deployment: string;
  steps: string;
  wait: string;
  requests: string;
  errors: string;
  ratio: string;
  disagreement: string;
  drift: string;
  mirror: string;
}

/** A number in a range; null when it is none. */
function numberIn(text: string, low: number, high: number): number | null {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) && value >= low && value <= high ? value : null;
}

/** The request of what was typed; null as long as it is not complete. */
export function canaryRequest(fields: Fields): NewCanary | null {
  const steps = readSteps(fields.steps);
  const wait = numberIn(fields.wait, 0, 2_592_000);
  const requests = numberIn(fields.requests, 0, 1e9);
  const errors = numberIn(fields.errors, 0, 100);
  const ratio = numberIn(fields.ratio, 0.1, 1000);
  const disagreement = numberIn(fields.disagreement, 0, 100);
  const drift = fields.drift.trim() === '' ? undefined : numberIn(fields.drift, 0, 1000);
  const mirror = numberIn(fields.mirror, 0, 100);
  if (
    steps === null ||
    wait === null ||
    requests === null ||
    errors === null ||
    ratio === null ||
    disagreement === null ||
    drift === null ||
    mirror === null ||
    (drift !== undefined && mirror < 0.5) ||
    fields.deployment === ''
  ) {
    return null;
  }
  return {
    deployment: fields.deployment,
    policy: {
      steps,
      wait_s: wait,
      min_requests: Math.round(requests),
      max_error_rate: errors / 100,
      max_p95_ratio: ratio,
      max_disagreement: disagreement / 100,
      max_drift: drift,
      mirror: Math.round(mirror)
    }
  };
}

/** Asks which deployment, in which steps, and within which limits. */
export function CanaryForm({
  studio,
  initial,
  onChange
}: FormProps<NewCanary & { name: string }>): JSX.Element {
  const endpoint = studio.endpoint(initial.name ?? '').value;
  const others = (endpoint?.deployments ?? [])
    .filter(one => one.traffic < 100)
    .sort((a, b) => a.traffic - b.traffic)
    .map(one => one.name);
  const [fields, setFields] = useState<Fields>({
    deployment: initial.deployment ?? others[0] ?? '',
    steps: '5, 25, 50, 100',
    wait: '60',
    requests: '100',
    errors: '1',
    ratio: '2',
    disagreement: '100',
    drift: '',
    mirror: '0'
  });
  const set = (change: Partial<Fields>): void => setFields(before => ({ ...before, ...change }));
  const request = useMemo(() => canaryRequest(fields), [fields]);
  useEffect(() => {
    onChange(request === null ? null : { ...request, name: initial.name ?? '' });
  }, [onChange, request, initial.name]);
  const rows: [keyof Fields, string, string][] = [
    ['steps', 'Steps (% of the requests)', 'Growing percentages, such as 5, 25, 50, 100.'],
    ['wait', 'Seconds for each step', 'A step lasts so long at least.'],
    ['requests', 'Requests for each step', 'And until it has answered so many.'],
    ['errors', 'Most errors (%)', 'Beyond that it goes back.'],
    ['ratio', 'Slower than the others by (times)', 'Of the 95 % quantile.'],
    ['disagreement', 'Most answers that differ (%)', 'Measured on copies of the requests.'],
    ['drift', 'Most drift of the answers', 'Population stability index, such as 0.25; empty for any.'],
    ['mirror', 'Copies (% of the requests)', 'For comparison and drift; 0 compares nothing.']
  ];
  return (
    <div className="jp-mls-Form">
      <Field label="Deployment" hint="The one that is to take over.">
        {control => (
          <select
            {...control}
            className="jp-mod-styled"
            value={fields.deployment}
            onChange={event => set({ deployment: event.target.value })}
          >
            {others.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {rows.map(([key, label, hint]) => (
        <TextInput
          key={key}
          label={label}
          hint={hint}
          value={fields[key]}
          onChange={value => set({ [key]: value })}
          problem={null}
        />
      ))}
    </div>
  );
}
