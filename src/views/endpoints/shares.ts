/** Shares of the traffic in percent: whole numbers that always add up to 100. */
export type Shares = Readonly<Record<string, number>>;

/** Gives one deployment its share, and the others the rest in the proportion that they have. */
export function moved(shares: Shares, name: string, percent: number): Shares {
  const wanted = Math.min(100, Math.max(0, Math.round(percent)));
  const others = Object.keys(shares).filter(one => one !== name);
  if (others.length === 0) {
    return { [name]: 100 };
  }
  const rest = 100 - wanted;
  const whole = others.reduce((sum, one) => sum + (shares[one] ?? 0), 0);
  const exact = others.map(one => (rest * (whole > 0 ? (shares[one] ?? 0) : 1)) / (whole || others.length));
  const given = exact.map(Math.floor);
  const left = rest - given.reduce((sum, share) => sum + share, 0);
  exact
    .map((share, at) => ({ at, missing: share - Math.floor(share) }))
    .sort((a, b) => b.missing - a.missing)
    .slice(0, left)
    .forEach(({ at }) => {
      given[at] = (given[at] ?? 0) + 1;
    });
  const result: Record<string, number> = {};
  for (const one of new Set([...Object.keys(shares), name])) {
    result[one] = one === name ? wanted : (given[others.indexOf(one)] ?? 0);
  }
  return result;
}

/** Whether two splits are the same. */
export function same(a: Shares, b: Shares): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every(name => (a[name] ?? 0) === (b[name] ?? 0));
}

/** Reads a list of growing percentages such as `5, 25, 100`; null when it is none. */
export function readSteps(text: string): number[] | null {
  const steps = text.split(/[\s,]+/).filter(part => part !== '');
  const numbers = steps.map(Number);
  const good = numbers.every(
    (step, at) =>
      Number.isInteger(step) && step >= 1 && step <= 100 && (at === 0 || step > (numbers[at - 1] ?? 0))
  );
  return numbers.length > 0 && good ? numbers : null;
}
