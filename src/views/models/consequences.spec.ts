import { describe, expect, it } from 'vitest';

import type { Model, ModelUser, ModelVersion } from '../../api/types';
import { deleteModelText, deleteVersionText } from './consequences';

const VERSION = { model: 'churn', version: 2, size_bytes: 1_200_000, aliases: [] } as unknown as ModelVersion;
const MODEL = { name: 'churn', versions: [2, 1], archived_versions: [] } as unknown as Model;
const ENDPOINT: ModelUser = { kind: 'endpoint', name: 'risk', version: 2, text: '' };
const ALIAS: ModelUser = { kind: 'alias', name: 'champion', version: 2, text: '' };

describe('deleting', () => {
  it('a version that nothing uses says what goes', () => {
    expect(deleteVersionText(VERSION, [])).toBe('Deletes version 2 (1.2\u00a0MB); nothing uses it.');
    expect(deleteVersionText({ ...VERSION, aliases: ['champion'] }, [])).toContain('and the alias champion');
  });

  it('a version that is served says that it will be refused, and why', () => {
    expect(deleteVersionText(VERSION, [ENDPOINT])).toContain(
      'used by endpoint risk, so this will be refused'
    );
    expect(deleteVersionText(VERSION, [ALIAS])).toContain('nothing uses it');
  });

  it('a model says how many versions go', () => {
    expect(deleteModelText(MODEL, [])).toBe('Deletes the model churn with 2 versions; nothing uses it.');
    expect(deleteModelText(MODEL, [ENDPOINT])).toContain('used by endpoint risk');
  });
});
