/** What the table is narrowed down to: text, status, MLflow's filter language; and what is on, as removable chips. */
import { closeIcon } from '@jupyterlab/ui-components';
import { type JSX, useEffect, useState } from 'react';
import type { StudioError } from '../../api/client';
import { Button, visible } from '../common';

export interface Filters {
  text: string;
  status: string;
  filter: string;
}

export const NO_FILTERS: Filters = { text: '', status: '', filter: '' };

const STATUSES: readonly (readonly [value: string, word: string])[] = [
  ['', 'any status'],
  ['live', 'live'],
  ['queued', 'waiting'],
  ['done', 'ended'],
  ['Completed', 'finished'],
  ['Failed', 'failed'],
  ['Canceled', 'stopped']
];

export function FilterBar({
  filters,
  onChange,
  error
}: {
  filters: Filters;
  onChange: (filters: Filters) => void;
  /** Why the server did not take the filter. */
  error: StudioError | undefined;
}): JSX.Element {
  const [text, setText] = useState(filters.text);
  const [filter, setFilter] = useState(filters.filter);
  useEffect(() => setText(filters.text), [filters.text]);
  useEffect(() => setFilter(filters.filter), [filters.filter]);
  useEffect(() => {
    if (text === filters.text) {
      return undefined;
    }
    const timer = window.setTimeout(() => onChange({ ...filters, text }), 250);
    return () => window.clearTimeout(timer);
  }, [text, filters, onChange]);
  const refused = error?.status === 400;
  return (
    <form
      className="jp-mls-Filters"
      role="search"
      onSubmit={event => {
        event.preventDefault();
        onChange({ ...filters, text, filter });
      }}
    >
      <input
        type="search"
        className="jp-mod-styled"
        placeholder="Name"
        aria-label="Runs whose name contains"
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <select
        className="jp-mod-styled"
        aria-label="Status"
        value={filters.status}
        onChange={event => onChange({ ...filters, status: event.target.value })}
      >
        {STATUSES.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
      <input
        type="text"
        className="jp-mod-styled jp-mls-Filters-query"
        placeholder="metrics.accuracy > 0.9 and params.depth = '8'"
        aria-label="Filter in MLflow's language, Enter applies it"
        aria-invalid={refused}
        title={refused ? visible(error.message) : "MLflow's filter language; Enter applies it"}
        value={filter}
        spellCheck={false}
        onChange={event => setFilter(event.target.value)}
        onBlur={() => filter !== filters.filter && onChange({ ...filters, filter })}
      />
      {refused && (
        <span className="jp-mls-Field-problem" role="alert">
          {visible(error.message)}
        </span>
      )}
    </form>
  );
}

export function Chips({
  filters,
  onChange
}: {
  filters: Filters;
  onChange: (filters: Filters) => void;
}): JSX.Element | null {
  const chips: [key: keyof Filters, text: string][] = [];
  if (filters.text) {
    chips.push(['text', `name contains ${visible(filters.text)}`]);
  }
  if (filters.status) {
    chips.push(['status', STATUSES.find(([value]) => value === filters.status)?.[1] ?? filters.status]);
  }
  if (filters.filter) {
    chips.push(['filter', visible(filters.filter)]);
  }
  return chips.length === 0 ? null : (
    <ul className="jp-mls-Chips" aria-label="Filters that are on">
      {chips.map(([key, text]) => (
        <li key={key}>
          <span>{text}</span>
          <Button
            minimal
            icon={closeIcon}
            title={`Remove: ${text}`}
            onClick={() => onChange({ ...filters, [key]: '' })}
          />
        </li>
      ))}
    </ul>
  );
}
