import { fireEvent, screen, waitFor } from '@testing-library/react';
import { type JSX, lazy } from 'react';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { TestServer } from '../testing/server';
import type { FormProps } from '../views/common/forms';
import { showForm } from './dialog';

interface Given {
  text: string;
}

type Form = (props: FormProps<Given>) => JSX.Element;

beforeAll(() => {
  // jsdom has none; a busy browser comes to it late.
  vi.stubGlobal('requestIdleCallback', (call: () => void) => setTimeout(call, 20));
});

function Fields({ onChange }: FormProps<Given>): JSX.Element {
  return (
    <>
      <input aria-label="First" disabled />
      <select aria-label="Second" />
      <input aria-label="Third" onChange={event => onChange({ text: event.target.value })} />
    </>
  );
}

function shown(Form: Form): Promise<string | undefined> {
  const studio = new TestServer().studio();
  const submit = ({ text }: Given): Promise<string> => Promise.resolve(text);
  return showForm<Given, string>({ title: 'Ask', action: 'Do', studio, Form, initial: {}, submit });
}

describe('a dialog around a form', () => {
  it('has the focus in its first field as soon as it is drawn, and leaves it where a person moves it', async () => {
    let load: () => void = () => undefined;
    const loaded = new Promise<{ default: Form }>(done => {
      load = () => done({ default: Fields });
    });
    const Lazy = lazy(() => loaded);
    const answer = shown(props => <Lazy {...props} />);
    await screen.findByText('Reading …');
    load();
    const second = await screen.findByLabelText('Second');
    expect(document.activeElement).toBe(second);
    const third = screen.getByLabelText('Third');
    third.focus();
    await new Promise(done => setTimeout(done, 50));
    expect(document.activeElement).toBe(third);
    fireEvent.change(third, { target: { value: 'x' } });
    fireEvent.click(screen.getByText('Do'));
    await expect(answer).resolves.toBe('x');
  });

  it('without fields has it on a button', async () => {
    const answer = shown(() => <p>Nothing to ask</p>);
    await screen.findByText('Nothing to ask');
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Cancel'));
    fireEvent.click(screen.getByText('Cancel'));
    await expect(answer).resolves.toBeUndefined();
  });
});
