import { type JSX, type ReactNode, useId } from 'react';
import { useRemembered } from '../remembered';
import { CURVE_DEFAULTS, type ICurveOptions } from './curves';
import type { Grouping } from './groups';

export interface IMetricOptions extends ICurveOptions {
  grouping: Grouping;
}

const DEFAULTS: IMetricOptions = { ...CURVE_DEFAULTS, grouping: 'metric' };
const GROUPINGS: readonly Grouping[] = ['metric', 'prefix', 'none'];
const LARGEST_SMOOTHING = 0.99;

/** Takes only what is well formed from the browser's memory. */
export function readOptions(value: unknown): IMetricOptions | null {
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const { x, log, smoothing, grouping } = value as Partial<Record<keyof IMetricOptions, unknown>>;
  return {
    x: x === 'time' ? 'time' : 'step',
    log: log === true,
    smoothing:
      typeof smoothing === 'number' && smoothing >= 0 && smoothing <= LARGEST_SMOOTHING ? smoothing : 0,
    grouping: GROUPINGS.find(one => one === grouping) ?? 'metric'
  };
}

export function useMetricOptions(): [IMetricOptions, (options: IMetricOptions) => void] {
  return useRemembered('metric-options', DEFAULTS, readOptions);
}

export interface CurveControlsProps {
  options: IMetricOptions;
  onChange: (options: IMetricOptions) => void;
  wanted: string;
  onWanted: (text: string) => void;
  /** Charts of several runs have no grouping: a line is a run there. */
  grouping?: boolean;
  children?: ReactNode;
}

/** Search, grouping, x axis, log axis and smoothing of a grid of charts. */
export function CurveControls({
  options,
  onChange,
  wanted,
  onWanted,
  grouping = true,
  children
}: CurveControlsProps): JSX.Element {
  const id = useId();
  return (
    <div className="jp-mls-Toolbar" role="group" aria-label="How the charts are drawn">
      <input
        className="jp-mls-Input"
        type="search"
        placeholder="Find a metric"
        aria-label="Find a metric"
        value={wanted}
        onChange={event => onWanted(event.target.value)}
      />
      {grouping && (
        <label>
          Group{' '}
          <select
            value={options.grouping}
            onChange={event => onChange({ ...options, grouping: event.target.value as Grouping })}
          >
            <option value="metric">train and val together</option>
            <option value="prefix">by prefix</option>
            <option value="none">one each</option>
          </select>
        </label>
      )}
      <label>
        x{' '}
        <select
          value={options.x}
          onChange={event => onChange({ ...options, x: event.target.value === 'time' ? 'time' : 'step' })}
        >
          <option value="step">step</option>
          <option value="time">time since start</option>
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={options.log}
          onChange={event => onChange({ ...options, log: event.target.checked })}
        />{' '}
        Log axis
      </label>
      <span className="jp-mls-Slider">
        <label htmlFor={id}>Smoothing</label>
        <input
          id={id}
          type="range"
          min={0}
          max={LARGEST_SMOOTHING}
          step={0.01}
          value={options.smoothing}
          onChange={event => onChange({ ...options, smoothing: Number(event.target.value) })}
        />
        <output htmlFor={id}>{options.smoothing.toFixed(2)}</output>
      </span>
      {children}
    </div>
  );
}
