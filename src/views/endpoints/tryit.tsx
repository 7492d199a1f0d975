/** "Try it": a form made from the signature, the answer, and the same request as code. */
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { type JSX, useMemo, useState } from 'react';

import type { StudioError } from '../../api/client';
import type { Endpoint, ScoreAnswer, Signature } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, CommandButton, CopyButton, ErrorBox, formatMillis } from '../common';
import { answerError, readAnswer } from './answer';
import { type Draft, type Read, type Shape, firstDraft, readDraft, shapeOf, switched } from './draft';
import { RowsForm } from './form';
import { PinChoice } from './pins';
import { Predictions } from './predictions';
import { curlSnippet, pythonSnippet } from './snippets';
import { Why } from './why';

export interface TryItProps {
  endpoint: Endpoint;
  signature: Signature;
  execute: Execute;
  /** Given, a row can be explained where its model came from AutoML. */
  studio?: StudioModel;
}

/** What the command that scores says: the answer, or why there is none. */
export type Outcome = { answer: ScoreAnswer } | { error: StudioError };

function JsonForm({ text, onChange }: { text: string; onChange: (text: string) => void }): JSX.Element {
  return (
    <textarea
      className="jp-mls-Json"
      aria-label="Request as JSON"
      spellCheck={false}
      rows={14}
      value={text}
      onChange={event => onChange(event.target.value)}
    />
  );
}

interface RequestFormProps {
  shape: Shape;
  draft: Draft;
  read: Read;
  onChange: (draft: Draft) => void;
}

function RequestForm({ shape, draft, read, onChange }: RequestFormProps): JSX.Element {
  if (draft.mode === 'json') {
    return <JsonForm text={draft.text} onChange={text => onChange({ mode: 'json', text })} />;
  }
  return (
    <RowsForm
      columns={shape.columns ?? []}
      rows={draft.rows}
      errors={'errors' in read ? read.errors : []}
      onChange={rows => onChange({ mode: 'form', rows })}
    />
  );
}

function Answer({
  outcome,
  signature
}: {
  outcome: Outcome | null;
  signature: Signature;
}): JSX.Element | null {
  if (outcome === null) {
    return <p className="jp-mls-quiet">The answer appears here.</p>;
  }
  if ('error' in outcome) {
    return <ErrorBox what="The request was not answered." error={outcome.error} />;
  }
  const { status, response, latency_ms: latencyMs } = outcome.answer;
  const wrong = answerError(status, response);
  return (
    <div className="jp-mls-Answer" data-testid="answer">
      {wrong === null ? (
        <Predictions predictions={readAnswer(signature, response)} />
      ) : (
        <ErrorBox
          what="The endpoint refused the request."
          error={{ message: wrong, code: 'endpoint', status }}
        />
      )}
      <p className="jp-mls-quiet">
        Answered in {formatMillis(latencyMs)}, status {status}
      </p>
      <details>
        <summary>Answer as JSON</summary>
        <pre className="jp-mls-Code">{JSON.stringify(response, null, 2)}</pre>
      </details>
    </div>
  );
}

interface SnippetsProps {
  url: string | null;
  read: Read;
  /** The one deployment that is asked. */
  pinned: string;
  execute: Execute;
}

function Snippets({ url, read, pinned, execute }: SnippetsProps): JSX.Element {
  const [language, setLanguage] = useState<'curl' | 'Python'>('curl');
  if (url === null || !('request' in read)) {
    const why = url === null ? 'The endpoint does not run.' : read && 'message' in read ? read.message : '';
    return <p className="jp-mls-quiet">{why}</p>;
  }
  const write = language === 'curl' ? curlSnippet : pythonSnippet;
  const code = write(url, read.request, pinned);
  return (
    <div className="jp-mls-Snippets">
      <div className="jp-mls-Inline">
        {(['curl', 'Python'] as const).map(one => (
          <Button key={one} minimal aria-pressed={one === language} onClick={() => setLanguage(one)}>
            {one}
          </Button>
        ))}
        <CopyButton execute={execute} label={`Copy ${language}`} text={code} />
      </div>
      <pre className="jp-mls-Code" data-testid="snippet">
        {code}
      </pre>
    </div>
  );
}

/** Scores rows that are typed in; nothing is sent before every value fits its datatype. */
export function TryIt({ endpoint, signature, execute, studio }: TryItProps): JSX.Element {
  const { name, sample, state } = endpoint;
  const shape = useMemo(() => shapeOf(signature.inputs, sample), [signature, sample]);
  const [draft, setDraft] = useState(() => firstDraft(shape, sample));
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [chosen, setChosen] = useState('');
  // One that was removed meanwhile is not asked for.
  const pinned = endpoint.deployments?.some(one => one.name === chosen) ? chosen : '';
  const read = useMemo(() => readDraft(shape, draft), [shape, draft]);

  const send = async (command: string): Promise<void> => {
    if (!('request' in read)) {
      return;
    }
    const request = read.request as unknown as ReadonlyPartialJSONObject;
    setOutcome(
      ((await execute(command, { name, request, ...(pinned === '' ? {} : { deployment: pinned }) })) as
        Outcome | undefined) ?? null
    );
  };
  const ready = state === 'Ready' && 'request' in read;
  return (
    <div className="jp-mls-TryIt">
      <div className="jp-mls-TryIt-request">
        <RequestForm shape={shape} draft={draft} read={read} onChange={setDraft} />
        {'message' in read && (
          <p className="jp-mls-Field-problem" role="alert">
            {read.message}
          </p>
        )}
        <PinChoice deployments={endpoint.deployments ?? []} pinned={pinned} onPin={setChosen} />
        <div className="jp-mls-Actions">
          <CommandButton
            primary
            execute={send}
            command={CommandIDs.scoreEndpoint}
            disabled={!ready}
            title={state === 'Ready' ? 'Send this request' : 'The endpoint is not ready'}
          >
            Send
          </CommandButton>
          {shape.columns && (
            <Button minimal onClick={() => setDraft(switched(shape, draft))}>
              {draft.mode === 'form' ? 'Edit as JSON' : 'Edit as form'}
            </Button>
          )}
          <Button minimal onClick={() => setDraft(firstDraft(shape, sample))}>
            Back to the sample
          </Button>
        </div>
      </div>
      <div className="jp-mls-TryIt-answer">
        <h4>Answer</h4>
        <Answer outcome={outcome} signature={signature} />
        {studio && 'request' in read && (
          <Why {...{ studio, endpoint, signature, pinned, execute }} request={read.request} />
        )}
        <h4>The same request</h4>
        <Snippets url={endpoint.scoring_url} read={read} pinned={pinned} execute={execute} />
      </div>
    </div>
  );
}
