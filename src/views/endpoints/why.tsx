/** Why a row is answered as it is: the winner of the AutoML run that the served model came from tells. */
import { type JSX, useState } from 'react';

import type { Endpoint, RowExplanation, Signature } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { CommandIDs, type Execute } from '../../tokens';
import { RowAnswer } from '../automl/answer';
import { Button, ErrorBox, useResource } from '../common';

interface Column {
  name: string;
  data: readonly unknown[];
  shape: readonly number[];
}

/** One row of a request: the value of each column by its name; a table's columns are told apart by the signature. */
export function rowOf(
  request: { inputs?: readonly Column[] },
  signature: Signature,
  row: number
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const { name, data } of request.inputs ?? []) {
    const columns = signature.inputs.find(one => one.name === name)?.columns ?? [];
    if (columns.length > 0) {
      columns.forEach((column, at) => (found[column] = data[row * columns.length + at] ?? null));
    } else {
      found[name] = data[row] ?? null;
    }
  }
  return found;
}

/** The one version that is asked; null where several share the requests. */
function askedOf(endpoint: Endpoint, pinned: string): { model: string; version: number } | null {
  const all = (endpoint.deployments ?? []).filter(one => (pinned ? one.name === pinned : one.traffic > 0));
  const [first] = all;
  const same = first && all.every(one => one.model === first.model && one.version === first.version);
  return same ? { model: first.model, version: first.version } : null;
}

interface WhyProps {
  studio: StudioModel;
  endpoint: Endpoint;
  signature: Signature;
  pinned: string;
  request: { inputs?: readonly Column[] };
  execute: Execute;
}

/** Nothing, unless the model is the winner of an AutoML run. */
export function Why(props: WhyProps): JSX.Element | null {
  const { studio, endpoint, pinned, signature } = props;
  const asked = askedOf(endpoint, pinned);
  const version = useResource(asked && studio.version(asked.model, asked.version))?.value;
  const run = useResource(version?.run_id ? studio.run(version.run_id) : null)?.value;
  if (run?.kind !== 'automl' || signature.routed_by.length > 0) {
    return null;
  }
  return (
    <>
      <h4>Why</h4>
      {run.params['task'] === 'forecasting' ? (
        <p className="jp-mls-quiet">A forecast is not explained row by row.</p>
      ) : (
        <WhyRow {...props} runId={run.id} />
      )}
    </>
  );
}

interface Told {
  answer?: RowExplanation;
  error?: { code: string; message: string; status: number };
}

function WhyRow({ runId, request, signature, execute }: WhyProps & { runId: string }): JSX.Element {
  const rows = request.inputs?.[0]?.shape[0] ?? 0;
  const [chosen, setChosen] = useState(0);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<Told>({});
  const row = Math.min(chosen, Math.max(0, rows - 1));
  const ask = async (): Promise<void> => {
    setBusy(true);
    const args = { id: runId, row: rowOf(request, signature, row) as never };
    setTold(((await execute(CommandIDs.explainRow, args)) as Told | undefined) ?? {});
    setBusy(false);
  };
  return (
    <div className="jp-mls-Why">
      <div className="jp-mls-Inline">
        {rows > 1 && (
          <select
            className="jp-mls-Input"
            aria-label="Row to explain"
            value={row}
            onChange={event => setChosen(Number(event.target.value))}
          >
            {Array.from({ length: Math.min(rows, 100) }, (_, at) => (
              <option key={at} value={at}>
                Row {at + 1}
              </option>
            ))}
          </select>
        )}
        <Button
          disabled={busy || rows === 0}
          aria-busy={busy || undefined}
          data-command={CommandIDs.explainRow}
          onClick={() => void ask()}
        >
          {busy ? 'Asking' : 'Explain this row'}
        </Button>
      </div>
      {told.error && <ErrorBox what="It was not explained" error={told.error} />}
      {told.answer && <RowAnswer answer={told.answer} effectsOnly />}
    </div>
  );
}
