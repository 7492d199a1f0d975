/** Which metrics share a chart. */

export type Grouping = 'metric' | 'prefix' | 'none';

/** One chart: its title and the metrics in it, each with its short name there. */
export interface IMetricGroup {
  title: string;
  members: { name: string; label: string }[];
}

export const SYSTEM_PREFIX = 'system/';

const PHASES = 'train|training|val|valid|validation|test|eval|dev|holdout';
const PHASE_FIRST = new RegExp(`^(${PHASES})[/_.\\- ](.+)$`, 'i');
const PHASE_LAST = new RegExp(`^(.+)[/_.\\- ](${PHASES})$`, 'i');

interface INameParts {
  group: string;
  label: string;
}

/** Splits ``val/loss``, ``val_loss`` and ``loss_val`` into the measure ``loss`` and the phase ``val``. */
function byMeasure(name: string): INameParts {
  const first = PHASE_FIRST.exec(name);
  if (first) {
    return { group: first[2]!, label: first[1]! };
  }
  const last = PHASE_LAST.exec(name);
  if (last) {
    return { group: last[1]!, label: last[2]! };
  }
  const slash = name.lastIndexOf('/');
  return slash > 0
    ? { group: name.slice(slash + 1), label: name.slice(0, slash) }
    : { group: name, label: name };
}

function byPrefix(name: string): INameParts {
  const slash = name.indexOf('/');
  return slash > 0
    ? { group: name.slice(0, slash), label: name.slice(slash + 1) }
    : { group: name, label: name };
}

/** Sorts metrics into charts, in the order in which they come. */
export function groupMetrics(names: readonly string[], grouping: Grouping): IMetricGroup[] {
  const groups = new Map<string, IMetricGroup>();
  for (const name of names) {
    const parts =
      grouping === 'none'
        ? { group: name, label: name }
        : grouping === 'metric'
          ? byMeasure(name)
          : byPrefix(name);
    const group = groups.get(parts.group) ?? { title: parts.group, members: [] };
    group.members.push({ name, label: parts.label });
    groups.set(parts.group, group);
  }
  return [...groups.values()].map(group => (group.members.length === 1 ? alone(group) : group));
}

function alone(group: IMetricGroup): IMetricGroup {
  const name = group.members[0]!.name;
  return { title: name, members: [{ name, label: name }] };
}

/** The groups that a search leaves, pinned ones first. */
export function chosenGroups(
  groups: readonly IMetricGroup[],
  wanted: string,
  pinned: ReadonlySet<string>
): IMetricGroup[] {
  const needle = wanted.trim().toLowerCase();
  const found = groups.filter(
    group =>
      !needle ||
      group.title.toLowerCase().includes(needle) ||
      group.members.some(member => member.name.toLowerCase().includes(needle))
  );
  return [
    ...found.filter(group => pinned.has(group.title)),
    ...found.filter(group => !pinned.has(group.title))
  ];
}
