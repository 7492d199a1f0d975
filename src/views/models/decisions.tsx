/** Stage, approval and archive of a version: what was decided, by whom, when and why, and how to decide. */
import type { JSX } from 'react';

import type { ModelVersion } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { CommandButton, MISSING, Name, When, doneIcon, failedIcon, waitingIcon } from '../common';

const LOOKS = {
  Pending: { icon: waitingIcon, tone: 'wait', word: 'pending' },
  Approved: { icon: doneIcon, tone: 'done', word: 'approved' },
  Rejected: { icon: failedIcon, tone: 'bad', word: 'rejected' }
} as const;

/** Icon, word and colour of an approval. */
export function ApprovalBadge({ status }: { status: ModelVersion['approval']['status'] }): JSX.Element {
  const look = LOOKS[status];
  return (
    <span className={`jp-mls-Status jp-mls-mod-${look.tone}`} data-approval={status}>
      <look.icon.react tag="span" className="jp-mls-Status-icon" aria-hidden="true" />
      <span className="jp-mls-Status-word">{look.word}</span>
    </span>
  );
}

/** The stage as a word; None is no stage. */
export function stageText(stage: ModelVersion['stage'] | undefined): string {
  return !stage || stage === 'None' ? MISSING : stage;
}

/** The line of decisions under a version's head. */
export function Decisions({ version, execute }: { version: ModelVersion; execute: Execute }): JSX.Element {
  const { model: name, version: number, approval, stage, archived_at: archivedAt } = version;
  const args = { name, version: number };
  return (
    <dl className="jp-mls-Decisions" aria-label="Decisions">
      <div>
        <dt>Stage</dt>
        <dd>
          {stageText(stage)}
          {!archivedAt && (
            <CommandButton minimal execute={execute} command={CommandIDs.setStage} args={args}>
              Change …
            </CommandButton>
          )}
          {archivedAt && (
            <span className="jp-mls-quiet">
              <When at={archivedAt} />
            </span>
          )}
        </dd>
      </div>
      <div>
        <dt>Approval</dt>
        <dd>
          <ApprovalBadge status={approval.status} />
          {approval.at && (
            <span className="jp-mls-quiet">
              by <Name text={approval.user || MISSING} />, <When at={approval.at} />
            </span>
          )}
          {(['Approved', 'Rejected', 'Pending'] as const)
            .filter(status => status !== approval.status)
            .map(status => (
              <CommandButton
                key={status}
                minimal
                execute={execute}
                command={CommandIDs.decideVersion}
                args={{ ...args, status }}
              >
                {status === 'Approved' ? 'Approve …' : status === 'Rejected' ? 'Reject …' : 'Take back …'}
              </CommandButton>
            ))}
        </dd>
        {approval.reason !== '' && (
          <dd className="jp-mls-Decisions-reason">
            <Name text={approval.reason} className="jp-mls-Wrap" />
          </dd>
        )}
      </div>
    </dl>
  );
}
