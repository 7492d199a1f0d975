/** What hangs on a version and what happened to it: users, lineage, journal. */
import { type JSX, useMemo } from 'react';

import type { ModelJournal, ModelLineage, ModelUser } from '../../api/types';
import { ModelReport } from '../../models/models';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import {
  CommandLink,
  ErrorBox,
  KeyValueTable,
  Loading,
  MISSING,
  Name,
  Notice,
  When,
  shortened,
  useResource
} from '../common';
import { detailsText } from './reviews';

interface Props {
  studio: StudioModel;
  name: string;
  version: number;
  execute: Execute;
}

/** A report of a version, read when it is looked at; `ask` says which. */
export function useReport<T>(
  studio: StudioModel,
  name: string,
  ask: () => Promise<T>,
  key: string
): ModelReport<T> {
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says when the question changes
  return useResource(useMemo(() => new ModelReport(studio.feed, name, ask), [studio, name, key]));
}

/** The value of a report, or how it stands with it. */
export function Report<T>(props: {
  report: ModelReport<T>;
  what: string;
  children: (value: T) => JSX.Element;
}): JSX.Element {
  const { report, what, children } = props;
  if (report.value !== undefined) {
    return children(report.value);
  }
  return report.error ? (
    <ErrorBox what={`The ${what} cannot be shown.`} error={report.error} retry={() => report.refresh()} />
  ) : (
    <Loading what={`Reading the ${what}`} />
  );
}

function User({ user, execute }: { user: ModelUser; execute: Execute }): JSX.Element {
  return (
    <li>
      <span className="jp-mls-quiet">{user.kind}</span>{' '}
      {user.kind === 'endpoint' ? (
        <CommandLink execute={execute} command={CommandIDs.openEndpoint} args={{ name: user.name }}>
          <Name text={user.name} />
        </CommandLink>
      ) : (
        <Name text={user.name} />
      )}{' '}
      {user.text !== '' && <span className="jp-mls-quiet">{shortened(user.text, 160)}</span>}
    </li>
  );
}

/** Everything that uses a version. */
export function Users({ studio, name, version, execute }: Props): JSX.Element {
  const ask = (): Promise<ModelUser[]> => studio.client.listVersionUsers(name, version);
  const report = useReport(studio, name, ask, `users ${version}`);
  return (
    <Report report={report} what="users">
      {users =>
        users.length === 0 ? (
          <p className="jp-mls-quiet">Nothing uses this version.</p>
        ) : (
          <ul className="jp-mls-Plain">
            {users.map(user => (
              <User key={`${user.kind} ${user.name}`} user={user} execute={execute} />
            ))}
          </ul>
        )
      }
    </Report>
  );
}

/** Run, code, data: where a version comes from. */
export function Lineage({ studio, name, version, execute }: Props): JSX.Element {
  const ask = (): Promise<ModelLineage> => studio.client.getModelLineage(name, version);
  const report = useReport(studio, name, ask, `lineage ${version}`);
  const link = (run: ModelLineage['run']): JSX.Element | string =>
    run ? (
      <CommandLink execute={execute} command={CommandIDs.openRun} args={{ id: run.id }}>
        <Name text={`${run.experiment} / ${run.name}`} />
      </CommandLink>
    ) : (
      MISSING
    );
  return (
    <Report report={report} what="lineage">
      {({ run, convert_run: converted, entry, commit, branch, dirty, data }) => (
        <KeyValueTable
          label="Lineage"
          rows={[
            ...data.map(
              (one, index) =>
                [
                  index === 0 ? 'Data' : `Data ${index + 1}`,
                  <Name
                    key={index}
                    text={[one.name, one.context, one.digest.slice(0, 12)].filter(Boolean).join(', ')}
                  />
                ] as const
            ),
            [
              'Code',
              <Name
                key="code"
                text={
                  [entry, commit && `commit ${commit.slice(0, 10)}${dirty ? ' +dirty' : ''}`, branch]
                    .filter(Boolean)
                    .join(', ') || MISSING
                }
              />
            ],
            ['Run', link(run)],
            ['Conversion', link(converted)]
          ]}
        />
      )}
    </Report>
  );
}

/** What happened to a version, newest first; says so when an entry was changed or cut out. */
export function Journal({ studio, name, version }: Omit<Props, 'execute'>): JSX.Element {
  const ask = (): Promise<ModelJournal> => studio.client.getVersionJournal(name, version);
  const report = useReport(studio, name, ask, `journal ${version}`);
  return (
    <Report report={report} what="journal">
      {({ events, whole }) => (
        <>
          {!whole && <Notice>An entry of this journal was changed or cut out.</Notice>}
          <ol className="jp-mls-Timeline" aria-label="Journal">
            {[...events].reverse().map(event => (
              <li key={event.digest}>
                <When at={event.at} /> <strong>{event.action}</strong>{' '}
                <span className="jp-mls-quiet">
                  by <Name text={event.user || MISSING} />
                </span>
                {detailsText(event) !== '' && (
                  <span className="jp-mls-quiet"> {shortened(detailsText(event), 200)}</span>
                )}
                {event.reason !== '' && (
                  <Name text={event.reason} className="jp-mls-Wrap jp-mls-Timeline-reason" />
                )}
              </li>
            ))}
          </ol>
          <p className="jp-mls-quiet">{whole && 'Every entry fits the digest of the one before it.'}</p>
        </>
      )}
    </Report>
  );
}
