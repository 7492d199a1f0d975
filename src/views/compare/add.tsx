/** Finds runs of the same experiments to add to a comparison. */
import { type JSX, useId, useState } from 'react';
import type { Run } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import { Button, Elapsed, Name, StatusBadge, When } from '../common';
import { useOwned } from '../run/own';

const SHOWN = 100;

interface AddProps {
  studio: StudioModel;
  runs: readonly Run[];
  onAdd: (id: string) => void;
  /** Nothing can be compared yet: the choice is open at first. */
  first: boolean;
}

function Choices({ studio, runs, onAdd }: Omit<AddProps, 'first'>): JSX.Element {
  const experiments = [...new Set(runs.map(run => run.experiment_id))];
  const [wanted, setWanted] = useState('');
  const query = { experiment_id: experiments, q: wanted };
  const model = useOwned(() => studio.runs(query, SHOWN), JSON.stringify(query));
  const found = (model.value?.items ?? []).filter(one => !runs.some(run => run.id === one.id));
  return (
    <div className="jp-mls-AddRuns-list">
      <input
        className="jp-mls-Input"
        type="search"
        placeholder="Find a run"
        aria-label="Find a run"
        value={wanted}
        autoFocus
        onChange={event => setWanted(event.target.value)}
      />
      <ul>
        {found.map(run => (
          <li key={run.id}>
            <button type="button" onClick={() => onAdd(run.id)}>
              <StatusBadge status={run.status} word={false} />
              <Name text={run.name} />
              <span className="jp-mls-quiet">
                <Elapsed run={run} /> · <When at={run.created_at} />
              </span>
            </button>
          </li>
        ))}
        {model.value && found.length === 0 && (
          <li className="jp-mls-quiet">No other runs in this experiment.</li>
        )}
      </ul>
    </div>
  );
}

export function AddRuns(props: AddProps): JSX.Element {
  const [open, setOpen] = useState(props.first);
  const id = useId();
  return (
    <div className="jp-mls-AddRuns" onKeyDown={event => event.key === 'Escape' && setOpen(false)}>
      <Button primary={props.first} aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        Add a run
      </Button>
      <div id={id}>{open && <Choices {...props} />}</div>
    </div>
  );
}
