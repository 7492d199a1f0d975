/** Changes that a view makes in place; what the server answers is what the view then shows. */
import type { RunChange, VersionChange } from '../api/types';
import type { StudioModel } from './studio';

/** Tag that keeps the decision threshold which was chosen for a run's model. */
export const THRESHOLD_TAG = 'mlstudio.threshold';

/** Tag that says which class a threshold of a run is about. */
export const POSITIVE_TAG = 'mlstudio.positive_label';

/** Changes name, description or tags of a run; a tag set to null is removed. Rejects with what the server refused. */
export async function changeRun(studio: StudioModel, id: string, change: RunChange): Promise<void> {
  studio.run(id).accept(await studio.client.updateRun(id, change));
}

/** Changes description or tags of a model version; a tag set to null is removed. */
export async function changeVersion(
  studio: StudioModel,
  name: string,
  version: number,
  change: VersionChange
): Promise<void> {
  studio.version(name, version).accept(await studio.client.updateVersion(name, version, change));
}

const LOG_SLICE_BYTES = 1024 * 1024;

/** Reads a run's output from its beginning to where it ends now. */
export async function readWholeLog(studio: StudioModel, id: string): Promise<string> {
  const parts: string[] = [];
  let offset = 0;
  for (;;) {
    const slice = await studio.client.getLogs(id, { offset, limit: LOG_SLICE_BYTES });
    parts.push(slice.text);
    if (slice.next_offset <= offset || slice.next_offset >= slice.size) {
      return parts.join('');
    }
    offset = slice.next_offset;
  }
}
