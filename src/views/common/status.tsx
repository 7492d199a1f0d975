/** Status is always icon and word and colour. */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';
import type { DeploymentState, EndpointState, RunStatus, VersionStatus } from '../../api/types';
import { doneIcon, failedIcon, liveIcon, pausedIcon, stoppedIcon, unknownIcon, waitingIcon } from './icons';

export type Status = RunStatus | EndpointState | DeploymentState | VersionStatus;
export type Tone = 'live' | 'wait' | 'done' | 'bad' | 'warn' | 'off';

interface Look {
  word: string;
  tone: Tone;
  icon: LabIcon;
}

const LOOKS: Record<Status, Look> = {
  NotStarted: { word: 'not started', tone: 'wait', icon: waitingIcon },
  Queued: { word: 'queued', tone: 'wait', icon: waitingIcon },
  Preparing: { word: 'preparing', tone: 'live', icon: liveIcon },
  Provisioning: { word: 'provisioning', tone: 'live', icon: liveIcon },
  Starting: { word: 'starting', tone: 'live', icon: liveIcon },
  Running: { word: 'running', tone: 'live', icon: liveIcon },
  Finalizing: { word: 'finishing', tone: 'live', icon: liveIcon },
  CancelRequested: { word: 'stopping', tone: 'warn', icon: liveIcon },
  NotResponding: { word: 'not responding', tone: 'warn', icon: unknownIcon },
  Paused: { word: 'paused', tone: 'wait', icon: pausedIcon },
  Completed: { word: 'finished', tone: 'done', icon: doneIcon },
  Failed: { word: 'failed', tone: 'bad', icon: failedIcon },
  Canceled: { word: 'stopped', tone: 'off', icon: stoppedIcon },
  Ready: { word: 'ready', tone: 'done', icon: doneIcon },
  Idle: { word: 'asleep', tone: 'wait', icon: pausedIcon },
  Stopped: { word: 'stopped', tone: 'off', icon: stoppedIcon },
  Converting: { word: 'converting', tone: 'live', icon: liveIcon },
  Refused: { word: 'refused', tone: 'bad', icon: failedIcon }
};

/** How a status looks; a word that this version does not know is shown as it came. */
export function statusLook(status: Status): Look {
  return LOOKS[status] ?? { word: String(status), tone: 'off', icon: unknownIcon };
}

/** Icon, word and colour of a status; `reason` on hover. Without `word` only the icon is drawn, the word is read out. */
export function StatusBadge({
  status,
  reason,
  word = true
}: {
  status: Status;
  reason?: string | undefined;
  word?: boolean;
}): JSX.Element {
  const look = statusLook(status);
  return (
    <span
      className={`jp-mls-Status jp-mls-mod-${look.tone}`}
      title={reason ? `${look.word}: ${reason}` : look.word}
      data-status={status}
    >
      <look.icon.react tag="span" className="jp-mls-Status-icon" aria-hidden="true" />
      <span className={word ? 'jp-mls-Status-word' : 'jp-mls-hidden'}>{look.word}</span>
    </span>
  );
}
