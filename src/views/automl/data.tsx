/** The table: what was noticed and done about it, and what became of each column. */
import type { JSX } from 'react';
import { isEnded } from '../../api/types';
import { EmptyState, KeyValueTable, MISSING, Name, grouped, visible, Section } from '../common';
import type { RunProps } from '../run/header';
import type { AutoMLProps } from './board';
import { ROLE_WORDS, taskWord } from './choices';
import { ColumnTable } from './columns';
import { FindingList, countText } from './findings';

const SHOWN_CLASSES = 12;

function factsOf({ report, spec }: AutoMLProps['automl']): [string, JSX.Element | string][] {
  const classes = report.classes.slice(0, SHOWN_CLASSES).map(visible).join(', ');
  const more = report.classes.length - SHOWN_CLASSES;
  return [
    ['table', spec.data],
    ['target', spec.target],
    ...(report.task === 'auto' ? [] : [['task', taskWord(report.task)] as [string, string]]),
    ...(report.rows > 0 ? [['rows', grouped(report.rows)] as [string, string]] : []),
    ...(report.folds > 0 ? [['folds', foldsOf(report)] as [string, string]] : []),
    ...(classes
      ? [['classes', more > 0 ? `${classes} and ${grouped(more)} more` : classes] as [string, string]]
      : []),
    ...(report.positive_label ? [['positive label', report.positive_label] as [string, string]] : [])
  ];
}

function foldsOf({ folds, repeats }: AutoMLProps['automl']['report']): string {
  return repeats > 1 ? `${grouped(folds)}, split up to ${grouped(repeats)} times` : grouped(folds);
}

export function DataTab({ automl, run, execute }: RunProps & AutoMLProps): JSX.Element {
  const { report } = automl;
  if (report.columns.length === 0 && report.findings.length === 0) {
    return (
      <EmptyState>
        {isEnded(run.status)
          ? 'The table was not looked at. The tab Logs says why.'
          : 'Looking at the table.'}
      </EmptyState>
    );
  }
  return (
    <div className="jp-mls-AutoMLData">
      <Section title="Table">
        <KeyValueTable label="Table" rows={factsOf(automl)} execute={execute} />
      </Section>
      <Section title="Findings" note={countText(report.findings) || undefined}>
        {report.findings.length > 0 ? (
          <FindingList findings={report.findings} />
        ) : (
          <p className="jp-mls-quiet">Nothing stood out.</p>
        )}
      </Section>
      {report.columns.length > 0 && (
        <Section title="Columns" note={report.columns.length}>
          <ColumnTable
            label="Columns"
            columns={report.columns}
            rows={report.rows}
            findings={report.findings}
            taken={column => (
              <span
                className={column.role === 'dropped' ? 'jp-mls-quiet' : ''}
                title={column.reason ? visible(column.reason) : undefined}
              >
                {ROLE_WORDS[column.role] ?? visible(column.role)}
              </span>
            )}
            more={[
              {
                id: 'steps',
                title: 'What is made of it',
                cell: column => <Name text={column.steps.join(' → ') || MISSING} />
              },
              {
                id: 'reason',
                title: 'Why',
                cell: column => <Name text={column.reason || MISSING} className="jp-mls-quiet" />
              }
            ]}
          />
        </Section>
      )}
    </div>
  );
}
