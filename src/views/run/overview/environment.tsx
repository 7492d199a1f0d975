import { type JSX, useState } from 'react';
import type { Environment } from '../../../api/types';
import type { Execute } from '../../../tokens';
import { CopyButton, KeyValueTable, MISSING, Name, plural } from '../../common';

const SHOWN = 200;

/** The packages whose name or version contains a text, in the alphabet's order. */
export function findPackages(packages: Readonly<Record<string, string>>, wanted: string): [string, string][] {
  const needle = wanted.trim().toLowerCase();
  return Object.entries(packages)
    .filter(([name, version]) => !needle || name.toLowerCase().includes(needle) || version.includes(needle))
    .sort(([a], [b]) => a.localeCompare(b));
}

function Packages({
  packages,
  execute
}: {
  packages: Readonly<Record<string, string>>;
  execute: Execute;
}): JSX.Element {
  const [wanted, setWanted] = useState('');
  const found = findPackages(packages, wanted);
  const lock = findPackages(packages, '').map(([name, version]) => `${name}==${version}`);
  return (
    <details className="jp-mls-Details">
      <summary>{plural(lock.length, 'package')}</summary>
      <div className="jp-mls-Toolbar">
        <input
          className="jp-mls-Input"
          type="search"
          placeholder="Find a package"
          aria-label="Find a package"
          value={wanted}
          onChange={event => setWanted(event.target.value)}
        />
        <CopyButton
          text={lock.join('\n')}
          execute={execute}
          label="Copy as requirements"
          title="Copy as requirements"
        />
      </div>
      <ul className="jp-mls-Packages">
        {found.slice(0, SHOWN).map(([name, version]) => (
          <li key={name}>
            <Name text={name} /> <span className="jp-mls-quiet">{version}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="jp-mls-quiet">No package matches.</p>}
      {found.length > SHOWN && (
        <p className="jp-mls-quiet">and {found.length - SHOWN} more: search to narrow down</p>
      )}
    </details>
  );
}

/** Python, platform and packages that the run executed with. */
export function EnvironmentPart({
  environment,
  execute
}: {
  environment: Environment | null;
  execute: Execute;
}): JSX.Element {
  if (!environment) {
    return <p className="jp-mls-quiet">Not reported.</p>;
  }
  const python = [environment.implementation, environment.python].filter(Boolean).join(' ');
  return (
    <>
      <KeyValueTable
        label="Environment"
        rows={[
          ['Python', <Name key="python" text={python || MISSING} />],
          ['Platform', <Name key="platform" text={environment.platform ?? MISSING} />],
          ['Executable', <Name key="executable" text={environment.executable ?? MISSING} />]
        ]}
      />
      <Packages packages={environment.packages} execute={execute} />
    </>
  );
}
