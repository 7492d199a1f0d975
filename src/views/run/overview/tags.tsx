import type { JSX } from 'react';
import { changeRun } from '../../../models/actions';
import { TagEditor } from '../../common';
import type { RunProps } from '../header';

/** The tags of a run. */
export function Tags({ studio, run }: RunProps): JSX.Element {
  return <TagEditor tags={run.tags} onChange={tags => changeRun(studio, run.id, { tags })} />;
}
