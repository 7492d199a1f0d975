import type { JSX } from 'react';
import { shortened, visible } from '../common';

/** A choice of one of what is compared. */
export function Choice({
  label,
  options,
  value,
  onChange
}: {
  label: string;
  options: readonly (readonly [id: string, text: string])[];
  value: string;
  onChange: (id: string) => void;
}): JSX.Element {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={event => onChange(event.target.value)}>
        {options.map(([id, text]) => (
          <option key={id} value={id}>
            {shortened(visible(text), 60)}
          </option>
        ))}
      </select>
    </label>
  );
}
