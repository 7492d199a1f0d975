/** How the answers of a deployment that gets copies differ from those that were given. */
import { type JSX, useEffect, useState } from 'react';

import { StudioError } from '../../api/client';
import type { AnswerDifference, Endpoint } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { type Column, ErrorBox, Name, Table, When, formatMillis, formatNumber } from '../common';

const SHOWN = 50;

function short(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : String(value);
}

/** `label[0]: 0 ≠ 2`. */
export function exampleText(one: AnswerDifference): string {
  const texts = one.examples.map(({ at, live, copy }) => `${String(at)}: ${short(live)} ≠ ${short(copy)}`);
  return texts.join('; ');
}

const COLUMNS: Column<AnswerDifference>[] = [
  { id: 'at', title: 'When', cell: one => <When at={one.at} /> },
  { id: 'live', title: 'Answered', cell: one => <Name text={one.live} /> },
  { id: 'copy', title: 'Copy', cell: one => <Name text={one.deployment} /> },
  { id: 'differs', title: 'Differs', cell: one => (one.disagrees ? 'yes' : 'no') },
  { id: 'labels', title: 'Labels', numeric: true, cell: one => formatNumber(one.labels) },
  { id: 'max', title: 'Largest difference', numeric: true, cell: one => formatNumber(one.max_difference) },
  { id: 'live_ms', title: 'Took', numeric: true, cell: one => formatMillis(one.live_ms) },
  { id: 'copy_ms', title: 'Copy took', numeric: true, cell: one => formatMillis(one.copy_ms) },
  { id: 'examples', title: 'Where', cell: one => <Name text={exampleText(one)} className="jp-mls-Wrap" /> }
];

/** Counters by deployment, and the latest comparisons, those that differ first. */
export function Differences({
  endpoint,
  studio
}: {
  endpoint: Endpoint;
  studio: StudioModel;
}): JSX.Element | null {
  const [found, setFound] = useState<AnswerDifference[]>([]);
  const [error, setError] = useState<StudioError | null>(null);
  const mirrored = endpoint.deployments.filter(one => one.mirrored.copies + one.mirrored.failed > 0);
  const count = mirrored.reduce((sum, one) => sum + one.mirrored.copies + one.mirrored.failed, 0);
  const { name } = endpoint;
  useEffect(() => {
    let wanted = true;
    if (count > 0) {
      studio.client.listDifferences(name).then(
        list => wanted && (setFound(list), setError(null)),
        (why: unknown) => wanted && setError(StudioError.from(why))
      );
    }
    return () => {
      wanted = false;
    };
  }, [studio, name, count]);
  if (count === 0) {
    return null;
  }
  const ordered = [...found].sort((a, b) => Number(b.disagrees) - Number(a.disagrees)).slice(0, SHOWN);
  return (
    <>
      {mirrored.map(({ name: deployment, mirrored: one }) => (
        <p key={deployment}>
          <Name text={deployment} />: {formatNumber(one.disagreements)} of {formatNumber(one.copies)} copies
          were answered differently, largest difference {formatNumber(one.max_difference)}
          {one.failed > 0 && `, ${formatNumber(one.failed)} failed`}
          {one.dropped > 0 && `, ${formatNumber(one.dropped)} were not sent`}.
        </p>
      ))}
      {error && <ErrorBox what="The comparisons cannot be shown." error={error} />}
      <Table
        label="Compared answers"
        columns={COLUMNS}
        rows={ordered}
        rowKey={one => `${one.at} ${one.deployment}`}
      />
    </>
  );
}
