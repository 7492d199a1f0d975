/** Ready-to-paste programs in several languages: requests to the endpoint, and scoring of the model's file alone. */
import { type JSX, useEffect, useState } from 'react';

import { StudioError } from '../../api/client';
import type { Endpoint, Snippet, Snippets } from '../../api/types';
import type { StudioModel } from '../../models/studio';
import type { Execute } from '../../tokens';
import { CopyButton, ErrorBox, Tabs } from '../common';

function Programs(props: {
  label: string;
  snippets: readonly Snippet[];
  execute: Execute;
}): JSX.Element | null {
  const { label, snippets, execute } = props;
  const [chosen, setChosen] = useState('');
  const one = snippets.find(each => each.name === chosen) ?? snippets[0];
  if (!one) {
    return null;
  }
  return (
    <Tabs
      label={label}
      tabs={snippets.map(each => ({ id: each.name, label: each.title }))}
      selected={one.name}
      onSelect={setChosen}
    >
      {one.needs !== '' && <p className="jp-mls-quiet">Needs {one.needs}.</p>}
      <CopyButton execute={execute} label="Copy" title={`Copy the ${one.title} program`} text={one.code} />
      <pre className="jp-mls-Code" tabIndex={0} aria-label={`${one.title} program`}>
        {one.code}
      </pre>
    </Tabs>
  );
}

/** Programs of an endpoint; the key is read from the variable MLSTUDIO_KEY. */
export function EndpointPrograms(props: {
  endpoint: Endpoint;
  studio: StudioModel;
  execute: Execute;
}): JSX.Element | null {
  const { endpoint, studio, execute } = props;
  const [found, setFound] = useState<Snippets | null>(null);
  const [error, setError] = useState<StudioError | null>(null);
  const { name, scoring_url: url } = endpoint;
  const served = endpoint.deployments.map(one => `${one.model} ${one.version}`).join();
  useEffect(() => {
    let wanted = true;
    studio.client.getSnippets(name).then(
      snippets => wanted && (setFound(snippets), setError(null)),
      (why: unknown) => wanted && setError(StudioError.from(why))
    );
    return () => {
      wanted = false;
    };
  }, [studio, name, url, served]);
  if (error) {
    return <ErrorBox what="The programs cannot be shown." error={error} />;
  }
  if (found === null) {
    return null;
  }
  return (
    <>
      <h4>Ask this endpoint</h4>
      <Programs label="Languages of requests" snippets={found.requests} execute={execute} />
      {found.files.length > 0 && (
        <>
          <h4>Score with the ONNX file alone</h4>
          <Programs label="Languages of programs for the file" snippets={found.files} execute={execute} />
        </>
      )}
    </>
  );
}
