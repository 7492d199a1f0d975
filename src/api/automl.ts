/** Operations of AutoML. */
import type { Transport } from './client';
import type * as api from './types';

/** Makes the calls of one client. */
export function automlCalls({ get, send }: Transport) {
  const one = (id: string, ...more: string[]): string[] => ['automl', id, ...more];
  return {
    start: (body: api.NewAutoML): Promise<api.Run> => send('POST', ['automl'], body),
    read: (id: string): Promise<api.AutoML> => get(one(id)),
    preview: (question: api.TableQuestion): Promise<api.TablePreview> =>
      send('POST', ['automl', 'preview'], question),
    resume: (id: string, minutes: number): Promise<api.Run> => send('POST', one(id, 'resume'), { minutes }),
    /** What begins a run that nobody has begun yet. */
    draft: (body: api.NewAutoML, format: 'python' | 'yaml'): Promise<{ text: string }> =>
      send('POST', ['automl', 'code'], { ...body, format }),
    code: (id: string, format: 'python' | 'yaml'): Promise<{ text: string }> =>
      get(one(id, 'code'), { format }),
    explain: (id: string, row: Record<string, unknown>): Promise<api.RowExplanation> =>
      send('POST', one(id, 'explain'), { row }),
    /** The winner's notebook, or that of the model with a number. */
    notebook: (id: string, number?: number): Promise<{ path: string }> =>
      send('POST', one(id, 'notebook'), number === undefined ? {} : { number })
  };
}
