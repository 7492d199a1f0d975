/** Who answers how many requests, and who gets copies of them. */
import { type JSX, useEffect, useId, useState } from 'react';

import type { Endpoint } from '../../api/types';
import { CommandIDs, type Execute } from '../../tokens';
import { Button, CommandButton } from '../common';
import { type Shares, moved, same } from './shares';

interface Props {
  endpoint: Endpoint;
  execute: Execute;
}

function Percent({
  label,
  value,
  disabled,
  onChange
}: {
  label: string;
  value: number;
  disabled: boolean;
  onChange: (percent: number) => void;
}): JSX.Element {
  return (
    <td>
      <input
        type="number"
        className="jp-mod-styled jp-mls-Percent"
        min={0}
        max={100}
        value={value}
        disabled={disabled}
        aria-label={label}
        onChange={event => onChange(Number(event.target.value))}
      />{' '}
      %
    </td>
  );
}

function Row(props: {
  name: string;
  percent: number;
  copies: number;
  disabled: boolean;
  onPercent: (percent: number) => void;
  onCopies: (percent: number) => void;
}): JSX.Element {
  const id = useId();
  const { name, percent, copies, disabled } = props;
  return (
    <tr>
      <th scope="row">
        <label htmlFor={id}>{name}</label>
      </th>
      <td>
        <input
          id={id}
          type="range"
          min={0}
          max={100}
          value={percent}
          disabled={disabled}
          aria-valuetext={`${percent} %`}
          onChange={event => props.onPercent(Number(event.target.value))}
        />
      </td>
      <Percent
        label={`Percent of the requests for ${name}`}
        value={percent}
        disabled={disabled}
        onChange={props.onPercent}
      />
      <Percent
        label={`Percent of the requests of which ${name} gets copies`}
        value={copies}
        disabled={disabled}
        onChange={given => props.onCopies(Math.min(100, Math.max(0, Math.round(given))))}
      />
    </tr>
  );
}

/** An editor whose shares always add up to 100. What the endpoint does changes with Save. */
export function TrafficEditor({ endpoint, execute }: Props): JSX.Element | null {
  const { traffic, mirror_traffic: mirror, name, deployments } = endpoint;
  const [shares, setShares] = useState<Shares>(traffic);
  const [copies, setCopies] = useState<Shares>(mirror);
  const known = JSON.stringify([traffic, mirror]);
  useEffect(() => {
    setShares(traffic);
    setCopies(mirror);
    // Only when the endpoint's own shares change: what is being typed stays otherwise.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [known]);
  if (deployments.length < 2) {
    return null;
  }
  const running = endpoint.canary?.state === 'Running';
  const changed = !same(shares, traffic) || !same(copies, mirror);
  return (
    <div className="jp-mls-Traffic">
      <table className="jp-mls-Table" aria-label="Traffic">
        <thead>
          <tr>
            <th scope="col">Deployment</th>
            <th scope="col" colSpan={2}>
              Requests
            </th>
            <th scope="col" title="Copies are answered too, compared, and never seen by the caller">
              Copies
            </th>
          </tr>
        </thead>
        <tbody>
          {deployments.map(one => (
            <Row
              key={one.name}
              name={one.name}
              percent={shares[one.name] ?? 0}
              copies={copies[one.name] ?? 0}
              disabled={running}
              onPercent={percent => setShares(moved(shares, one.name, percent))}
              onCopies={percent => setCopies({ ...copies, [one.name]: percent })}
            />
          ))}
        </tbody>
      </table>
      {running && (
        <p className="jp-mls-quiet">A canary release is under way: it shares the requests by itself.</p>
      )}
      <div className="jp-mls-Actions">
        <CommandButton
          primary
          execute={execute}
          command={CommandIDs.shareTraffic}
          args={{ name, traffic: shares, mirror: copies }}
          disabled={!changed}
        >
          Save
        </CommandButton>
        <Button
          disabled={!changed}
          onClick={() => {
            setShares(traffic);
            setCopies(mirror);
          }}
        >
          Cancel
        </Button>
      </div>
    </div>
  );
}
