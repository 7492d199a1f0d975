import { fireEvent, render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { TestServer } from '../../testing/server';
import { KeyForm, type KeyReplacement, keyEnd } from './keyform';
import { headerError } from './sticky';

const NOW = Date.parse('2026-11-21T10:00:00Z');

describe('the end of a key', () => {
  it('is never unless chosen, some days from now, or a date', () => {
    expect(keyEnd('never', '', NOW)).toEqual({ end: null });
    expect(keyEnd('7', '', NOW)).toEqual({ end: '2026-11-28T10:00:00.000Z' });
    expect(keyEnd('date', '2027-01-01T00:00:00Z', NOW)).toEqual({ end: '2027-01-01T00:00:00.000Z' });
  });

  it('is not in the past, and a chosen date is given', () => {
    expect(keyEnd('date', '2026-01-01T00:00:00Z', NOW)).toEqual({ problem: 'This is in the past.' });
    expect(keyEnd('date', '', NOW)).toEqual({ problem: 'A date and a time are needed.' });
  });

  it('can be asked for, under what the replacement does', () => {
    const values: (KeyReplacement | null)[] = [];
    render(
      <KeyForm
        studio={new TestServer().studio()}
        initial={{ note: 'Replaces the primary key.' }}
        onChange={value => values.push(value)}
      />
    );
    expect(screen.getByText('Replaces the primary key.')).toBeTruthy();
    expect(values.at(-1)?.expires_at).toBeNull();
    fireEvent.change(screen.getByLabelText('The new key ends'), { target: { value: 'date' } });
    expect(values.at(-1)).toBeNull();
    fireEvent.change(screen.getByLabelText('Date and time'), { target: { value: '2001-01-01T00:00' } });
    expect(screen.getByText('This is in the past.')).toBeTruthy();
    expect(values.at(-1)).toBeNull();
    fireEvent.change(screen.getByLabelText('The new key ends'), { target: { value: '30' } });
    expect(Date.parse(values.at(-1)?.expires_at ?? '')).toBeGreaterThan(Date.now());
  });
});

describe('a sticky header', () => {
  it('is one token or none', () => {
    expect(headerError('')).toBeNull();
    expect(headerError('X-Session-Id')).toBeNull();
    expect(headerError('X Session')).toContain('such as X-Session-Id');
  });
});
