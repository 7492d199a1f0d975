import { describe, expect, it } from 'vitest';

import type { Endpoint, Model, ModelVersion } from '../../api/types';
import { deleteModelText, deleteVersionText } from './consequences';

const VERSION = { model: 'churn', version: 2, size_bytes: 1_200_000, aliases: [] } as unknown as ModelVersion;
const MODEL = { name: 'churn', versions: [2, 1] } as unknown as Model;
const ENDPOINT = { name: 'risk', deployments: [{ model: 'churn', version: 2 }] } as unknown as Endpoint;

describe('deleting', () => {
  it('a version that nothing uses says what goes', () => {
    expect(deleteVersionText(VERSION, [])).toBe('Deletes version 2 (1.2\u00a0MB); no endpoint uses it.');
    expect(deleteVersionText({ ...VERSION, aliases: ['champion'] }, [])).toContain('and the alias champion');
  });

  it('a version that is served says that it will be refused, and why', () => {
    expect(deleteVersionText(VERSION, [ENDPOINT])).toContain(
      'the endpoint risk uses it, so this will be refused'
    );
    expect(deleteVersionText({ ...VERSION, version: 1 }, [ENDPOINT])).toContain('no endpoint uses it');
  });

  it('a model says how many versions go', () => {
    expect(deleteModelText(MODEL, [])).toBe('Deletes the model churn with 2 versions; no endpoint uses it.');
    expect(deleteModelText(MODEL, [ENDPOINT])).toContain('the endpoint risk uses it');
  });
});
