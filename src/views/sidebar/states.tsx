/** What the sidebar says when there is nothing, or nobody to ask. */
import type { JSX } from 'react';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import { CommandButton, CopyButton, EmptyState, ErrorBox, Notice, useResource, useSignal } from '../common';

interface Props {
  studio: StudioModel;
  execute: Execute;
}

const FIRST_LINE = '%load_ext jupyter_mlstudio';

/** An empty workspace explains itself. */
export function FirstSteps({ studio, execute }: Props): JSX.Element {
  const quickstart = useResource(studio.quickstart);
  const known = quickstart.value !== undefined || quickstart.error !== undefined;
  return (
    <EmptyState
      action={
        quickstart.value?.path ? (
          <CommandButton primary execute={execute} command={CommandIDs.openQuickstart}>
            Open the quickstart notebook
          </CommandButton>
        ) : known ? (
          <div className="jp-mls-FirstLine">
            <p>Begin in any notebook with</p>
            <code>{FIRST_LINE}</code>
            <CopyButton text={FIRST_LINE} execute={execute} title="Copy the line" />
          </div>
        ) : null
      }
    >
      A notebook cell, a script or a notebook becomes a run: it goes on when the kernel restarts or the server
      stops, and its metrics, logs and files are kept here. The best run becomes a registered model, and a
      model an endpoint that answers over HTTP.
    </EmptyState>
  );
}

/** Says that the server is away, and since the feed goes on trying, goes away by itself. */
export function Connection({ studio }: Props): JSX.Element | null {
  const { feed } = studio;
  useSignal(feed.connectedChanged);
  if (!feed.error) {
    return null;
  }
  if (feed.error.status === 404) {
    return (
      <ErrorBox
        what="The ML Studio server extension does not answer"
        error={{
          message:
            'This Jupyter server does not know it. `jupyter server extension list` says whether it is enabled; install jupyter_mlstudio in the environment of the server and start the server again.'
        }}
        retry={() => feed.poll()}
      />
    );
  }
  return feed.error.status === 0 ? (
    <Notice>
      <strong>Disconnected.</strong> The server does not answer. Runs go on; what is shown is the last that
      was known. This connects again by itself.
    </Notice>
  ) : (
    <ErrorBox what="The studio does not answer" error={feed.error} retry={() => feed.poll()} />
  );
}
