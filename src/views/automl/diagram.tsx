/** The winner as a drawing: which columns go through which steps into which model. */
import { Fragment, type JSX } from 'react';
import type { AutoMLReport, Candidate, TableColumn } from '../../api/types';
import { Name, formatPercent, plural } from '../common';
import { membersOf } from './board';
import { ROLE_WORDS } from './choices';

const SHOWN = 8;
const ASIDE: readonly TableColumn['role'][] = ['target', 'weight', 'dropped'];

interface Branch {
  steps: readonly string[];
  columns: readonly TableColumn[];
}

/**
 * Columns with the same steps go one way.
 *
 * @param steps - Column -> its steps, where they are not the column's own.
 */
export function branchesOf(
  columns: readonly TableColumn[],
  steps?: Readonly<Record<string, readonly string[]>>
): Branch[] {
  const all = steps ? columns.map(one => ({ ...one, steps: [...(steps[one.name] ?? [])] })) : columns;
  const branches = new Map<string, { steps: readonly string[]; columns: TableColumn[] }>();
  for (const column of all.filter(one => !ASIDE.includes(one.role))) {
    const key = JSON.stringify([column.steps, column.steps.length > 0 ? '' : column.role]);
    const branch = branches.get(key);
    if (branch) {
      branch.columns.push(column);
    } else {
      branches.set(key, { steps: column.steps, columns: [column] });
    }
  }
  return [...branches.values()].sort((a, b) => b.columns.length - a.columns.length);
}

function Columns({ columns }: { columns: readonly TableColumn[] }): JSX.Element {
  const role = columns[0]?.role ?? 'numeric';
  return (
    <div className="jp-mls-Diagram-node">
      <strong>
        {plural(columns.length, 'column')}
        <span className="jp-mls-quiet"> {ROLE_WORDS[role] ?? role}</span>
      </strong>
      <span className="jp-mls-Diagram-names">
        {columns.slice(0, SHOWN).map(one => (
          <Name key={one.name} text={one.name} />
        ))}
        {columns.length > SHOWN && <span className="jp-mls-quiet">and {columns.length - SHOWN} more</span>}
      </span>
    </div>
  );
}

function Arrow(): JSX.Element {
  return (
    <span className="jp-mls-Diagram-arrow" aria-hidden="true">
      →
    </span>
  );
}

function Branches({ branches }: { branches: readonly Branch[] }): JSX.Element {
  return (
    <div className="jp-mls-Diagram-branches">
      {branches.map((branch, index) => (
        <div key={index} className="jp-mls-Diagram-branch">
          <Columns columns={branch.columns} />
          {branch.steps.map((step, at) => (
            <Fragment key={at}>
              <Arrow />
              <div className="jp-mls-Diagram-node jp-mls-mod-step">
                <Name text={step} />
              </div>
            </Fragment>
          ))}
        </div>
      ))}
    </div>
  );
}

type Member = ReturnType<typeof membersOf>[number];

function Members({ members }: { members: readonly Member[] }): JSX.Element {
  return (
    <>
      {members.map(({ name, member, weight }, index) => (
        <span key={index} className="jp-mls-Diagram-member">
          <span className="jp-mls-Num">{formatPercent(weight)}</span> <Name text={name} />
          {member && <span className="jp-mls-quiet">model {member.number}</span>}
        </span>
      ))}
    </>
  );
}

/** The ways into the members of an ensemble, one above the other. */
function Ways({ report, members }: { report: AutoMLReport; members: readonly Member[] }): JSX.Element {
  return (
    <div className="jp-mls-Diagram-ways">
      {report.ways.map((way, index) => (
        <div key={index} className="jp-mls-Diagram-way">
          <Branches branches={branchesOf(report.columns, way.steps)} />
          <Arrow />
          <div className="jp-mls-Diagram-node">
            <Members
              members={members.filter(({ member }) => member && way.members.includes(member.number))}
            />
          </div>
        </div>
      ))}
    </div>
  );
}

export function Diagram({
  report,
  winner,
  target
}: {
  report: AutoMLReport;
  winner: Candidate;
  target: string;
}): JSX.Element {
  const members = membersOf(winner, report);
  const several = report.ways.length > 0 && members.length > 0;
  return (
    <div className="jp-mls-Diagram" role="group" aria-label="How the winner is made">
      {several ? <Ways {...{ report, members }} /> : <Branches branches={branchesOf(report.columns)} />}
      <Arrow />
      <div className="jp-mls-Diagram-node jp-mls-mod-model">
        <strong>
          <Name text={winner.family} />
        </strong>
        {!several && <Members members={members} />}
      </div>
      <Arrow />
      <div className="jp-mls-Diagram-node">
        <Name text={target} />
      </div>
    </div>
  );
}
