/** Which deployment "Try it" asks. */
import type { JSX } from 'react';

import type { Deployment } from '../../api/types';

/** Names one deployment, so that the shares of the traffic do not matter; the endpoint's own header for it. */
export const PIN_HEADER = 'azureml-model-deployment';

/** A choice where there is one. */
export function PinChoice(props: {
  deployments: readonly Pick<Deployment, 'name' | 'model' | 'version'>[];
  pinned: string;
  onPin: (deployment: string) => void;
}): JSX.Element | null {
  const { deployments, pinned, onPin } = props;
  if (deployments.length < 2) {
    return null;
  }
  return (
    <label className="jp-mls-Inline jp-mls-Pin">
      Ask
      <select className="jp-mod-styled" value={pinned} onChange={event => onPin(event.target.value)}>
        <option value="">whom the traffic chooses</option>
        {deployments.map(({ name, model, version }) => (
          <option key={name} value={name}>
            {name} ({model} v{version})
          </option>
        ))}
      </select>
    </label>
  );
}
