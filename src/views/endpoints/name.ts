/** Azure's rule for endpoint names, said while typing. */

const SHORTEST = 3;
const LONGEST = 32;

/**
 * Says what is wrong with an endpoint's name.
 *
 * @returns one sentence, or null when the name may be used
 */
export function endpointNameError(name: string): string | null {
  if (name === '') {
    return 'An endpoint needs a name.';
  }
  if (!/^[a-zA-Z]/.test(name)) {
    return 'The name begins with a letter.';
  }
  const strange = /[^-a-zA-Z0-9]/u.exec(name);
  if (strange) {
    return `The name has letters, digits and dashes, not ${strange[0] === ' ' ? 'spaces' : `"${strange[0]}"`}.`;
  }
  if (name.endsWith('-')) {
    return 'The name does not end with a dash.';
  }
  if (name.length < SHORTEST || name.length > LONGEST) {
    return `The name has ${SHORTEST} to ${LONGEST} characters, not ${name.length}.`;
  }
  return null;
}

/** Makes a name that the rule allows out of a model's name. */
export function suggestedEndpointName(model: string): string {
  const name = model
    .replace(/[^-a-zA-Z0-9]+/g, '-')
    .replace(/^[^a-zA-Z]+/, '')
    .slice(0, LONGEST)
    .replace(/-+$/, '');
  return name.length >= SHORTEST ? name : 'endpoint';
}

/** Says what is wrong with a port as it was typed; an empty one means any free port. */
export function portError(text: string): string | null {
  if (text.trim() === '') {
    return null;
  }
  const port = Number(text);
  return Number.isInteger(port) && port >= 1024 && port <= 65535
    ? null
    : 'A port is a whole number from 1024 to 65535.';
}
