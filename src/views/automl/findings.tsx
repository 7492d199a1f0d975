/** What was noticed about a table: how bad, what, what was done about it, and what people can do. */
import type { JSX } from 'react';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { Finding, Severity } from '../../api/types';
import { Name, failedIcon, infoIcon, plural, shortened, unknownIcon, visible } from '../common';

const LOOKS: Record<Severity, { word: string; icon: LabIcon; tone: string }> = {
  error: { word: 'error', icon: failedIcon, tone: 'bad' },
  warning: { word: 'warning', icon: unknownIcon, tone: 'warn' },
  info: { word: 'note', icon: infoIcon, tone: 'off' }
};

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** The worst first; of equals the order stays. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

/** For each column the worst finding about it. */
export function worst(findings: readonly Finding[]): ReadonlyMap<string, Finding> {
  const found = new Map<string, Finding>();
  for (const finding of bySeverity(findings)) {
    for (const column of finding.columns) {
      if (!found.has(column)) {
        found.set(column, finding);
      }
    }
  }
  return found;
}

/** `1 error, 2 warnings`; empty when there are none. */
export function countText(findings: readonly Finding[]): string {
  return ORDER.flatMap(severity => {
    const count = findings.filter(one => one.severity === severity).length;
    const { word } = LOOKS[severity];
    return count > 0 ? [`${count} ${word}${count === 1 ? '' : 's'}`] : [];
  }).join(', ');
}

/** Icon and word of a severity; beside a column only the icon, the rest on hover. */
export function SeverityMark({ finding, word }: { finding: Finding; word?: boolean }): JSX.Element {
  const look = LOOKS[finding.severity] ?? LOOKS.info;
  return (
    <span
      className={`jp-mls-Status jp-mls-mod-${look.tone}`}
      title={word ? undefined : `${look.word}: ${shortened(visible(finding.what), 300)}`}
    >
      <look.icon.react tag="span" className="jp-mls-Status-icon" aria-hidden="true" />
      <span className={word ? 'jp-mls-Status-word' : 'jp-mls-hidden'}>{look.word}</span>
    </span>
  );
}

const SHOWN_COLUMNS = 12;

/** What would be found: what is wrong is in sight, what is only worth knowing is folded away. */
export function FindingsAhead({ findings }: { findings: readonly Finding[] }): JSX.Element {
  const folded = (one: Finding): boolean => one.severity === 'info' && one.code !== 'preview';
  const [shown, notes] = [findings.filter(one => !folded(one)), findings.filter(folded)];
  return (
    <>
      {shown.length > 0 && <FindingList findings={shown} ahead />}
      {notes.length > 0 && (
        <details className="jp-mls-AutoML-notes">
          <summary>{plural(notes.length, 'note')} on the table</summary>
          <FindingList findings={notes} ahead />
        </details>
      )}
    </>
  );
}

/** `ahead` says that nothing is done yet. */
export function FindingList({
  findings,
  ahead
}: {
  findings: readonly Finding[];
  ahead?: boolean;
}): JSX.Element {
  return (
    <ul className="jp-mls-Findings" aria-label="Findings">
      {bySeverity(findings).map((finding, index) => (
        <li key={index} data-severity={finding.severity}>
          <SeverityMark finding={finding} word />
          <div>
            <p>{visible(finding.what)}</p>
            {finding.columns.length > 0 && (
              <p className="jp-mls-Findings-columns">
                {finding.columns.slice(0, SHOWN_COLUMNS).map(column => (
                  <Name key={column} text={column} className="jp-mls-Badge" />
                ))}
                {finding.columns.length > SHOWN_COLUMNS && (
                  <span className="jp-mls-quiet">and {finding.columns.length - SHOWN_COLUMNS} more</span>
                )}
              </p>
            )}
            {finding.done && (
              <p>
                <span className="jp-mls-quiet">{ahead ? 'What is done:' : 'Done:'}</span>{' '}
                {visible(finding.done)}
              </p>
            )}
            {finding.remedy && (
              <p>
                <span className="jp-mls-quiet">You can:</span> {visible(finding.remedy)}
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
