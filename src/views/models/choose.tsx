/** Fields of forms that choose a registered model, and one of its versions. */
import type { JSX } from 'react';
import type { Model } from '../../api/types';
import { SelectField } from '../common';

interface Props {
  models: readonly Model[];
  model: string;
}

export function ModelField({
  models,
  model,
  onChange
}: Props & { onChange: (model: string) => void }): JSX.Element {
  const names = models.map(one => [one.name, one.name] as const);
  return (
    <SelectField
      label="Model"
      value={model}
      options={model === '' ? [['', 'Choose a model'], ...names] : names}
      onChange={onChange}
    />
  );
}

export function VersionField({
  models,
  model,
  version,
  hint,
  onChange
}: Props & { version: string; hint: string; onChange: (version: string) => void }): JSX.Element {
  const versions = models.find(one => one.name === model)?.versions ?? [];
  return (
    <SelectField
      label="Version"
      value={version}
      hint={hint}
      options={[['latest', 'latest'], ...versions.map(one => [String(one), `version ${one}`] as const)]}
      onChange={onChange}
    />
  );
}
