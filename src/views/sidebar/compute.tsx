/** What runs may take, and what is taken. */
import type { JSX } from 'react';
import type { ComputeTarget } from '../../api/types';
import { Name, ThinBar, computeIcon, formatBytes, formatPercent } from '../common';
import { Row } from './sections';

function Meter({
  name,
  share,
  text,
  label
}: {
  name: string;
  share: number;
  text: string;
  label: string;
}): JSX.Element {
  return (
    <div className="jp-mls-Meter">
      <span>{name}</span>
      <ThinBar share={share} label={label} tone={share > 0.95 ? 'bad' : share > 0.8 ? 'warn' : 'live'} />
      <span className="jp-mls-Num">{text}</span>
    </div>
  );
}

export function TargetRow({ target }: { target: ComputeTarget }): JSX.Element {
  const memory = target.memory_used_bytes / Math.max(1, target.memory_total_bytes);
  return (
    <Row kind="compute" data={{ 'data-target': target.name }}>
      <computeIcon.react tag="span" className="jp-mls-Row-icon" aria-hidden="true" />
      <Name text={target.name} />
      <span className="jp-mls-RunRow-note" title="Runs that are active, of those that may be active at once">
        {target.slots_used}/{target.slots} slots
        {target.queued > 0 && `, ${target.queued} queued`}
      </span>
      <div className="jp-mls-Meters">
        <Meter
          name="CPU"
          share={target.cpu_percent / 100}
          text={formatPercent(target.cpu_percent / 100)}
          label={`CPU ${formatPercent(target.cpu_percent / 100)} of ${target.cpus} cores, ${target.cpus_reserved} reserved by runs`}
        />
        <Meter
          name="Memory"
          share={memory}
          text={formatBytes(target.memory_used_bytes)}
          label={`Memory ${formatBytes(target.memory_used_bytes)} of ${formatBytes(target.memory_total_bytes)}, ${formatBytes(target.memory_reserved_bytes)} reserved by runs`}
        />
        {target.gpus.map(gpu => (
          <Meter
            key={gpu.index}
            name={target.gpus.length > 1 ? `GPU ${gpu.index}` : 'GPU'}
            share={gpu.utilization_percent / 100}
            text={formatPercent(gpu.utilization_percent / 100)}
            label={`${gpu.name}: ${formatPercent(gpu.utilization_percent / 100)}, memory ${formatBytes(gpu.memory_used_bytes)} of ${formatBytes(gpu.memory_total_bytes)}`}
          />
        ))}
      </div>
    </Row>
  );
}
