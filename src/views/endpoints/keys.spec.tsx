import { act, fireEvent, render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { Endpoint } from '../../api/types';
import { CommandIDs } from '../../tokens';
import { IssuedKeys, KeysTable } from './keys';

const ENDPOINT = {
  name: 'churn',
  keys: [
    { name: 'primary', prefix: 'mls_ab12', created_at: '2026-11-21T00:00:00Z', last_used_at: null },
    {
      name: 'secondary',
      prefix: 'mls_cd34',
      created_at: '2026-11-21T00:00:00Z',
      last_used_at: new Date().toISOString()
    }
  ]
} as unknown as Endpoint;

describe('new keys', () => {
  it('are shown in clear, each with a way to copy it, and said not to be shown again', async () => {
    const copied: unknown[] = [];
    const execute = (command: string, args?: unknown): Promise<unknown> => {
      copied.push([command, args]);
      return Promise.resolve();
    };
    render(<IssuedKeys keys={{ primary: 'mls_one', secondary: 'mls_two' }} execute={execute} />);
    expect(screen.getByTestId('key-primary').textContent).toBe('mls_one');
    expect(document.body.textContent).toContain('not shown again');
    fireEvent.click(screen.getByTitle('Copy the secondary key'));
    expect(copied).toEqual([[CommandIDs.copyText, { text: 'mls_two' }]]);
    expect(await screen.findByText('Copied')).toBeTruthy();
  });
});

describe('keys that exist', () => {
  it('show only their beginning and when they were used last', () => {
    render(<KeysTable endpoint={ENDPOINT} execute={() => Promise.resolve()} />);
    const [primary, secondary] = screen.getAllByRole('row').slice(1);
    expect(primary?.textContent).toContain('mls_ab12…');
    expect(primary?.textContent).toContain('never');
    expect(secondary?.textContent).toContain('just now');
  });

  it('can be replaced one by one', async () => {
    const calls: unknown[] = [];
    render(
      <KeysTable
        endpoint={ENDPOINT}
        execute={(command, args) => {
          calls.push([command, args]);
          return Promise.resolve();
        }}
      />
    );
    await act(() => Promise.resolve(fireEvent.click(screen.getByTitle('Replace the secondary key'))));
    expect(calls).toEqual([[CommandIDs.regenerateKey, { name: 'churn', key: 'secondary' }]]);
  });
});
