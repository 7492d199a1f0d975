/** Requests as commands of a POSIX shell. */

/** Quotes text for a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

/** A request to the studio's own API; the token stays a variable. */
export function apiCurl(url: string, body: unknown): string {
  return [
    `curl -sS -X POST ${shellQuote(new URL(url, window.location.href).href)} \\`,
    '  -H "Authorization: token $JUPYTER_TOKEN" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d ${shellQuote(JSON.stringify(body))}`
  ].join('\n');
}
