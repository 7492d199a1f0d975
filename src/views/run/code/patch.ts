/** Reads a unified diff (git's form) into files and lines. */

export type LineKind = 'added' | 'removed' | 'same' | 'hunk' | 'meta';

export interface IDiffLine {
  kind: LineKind;
  text: string;
  /** Line numbers before and after; null where there is none. */
  before: number | null;
  after: number | null;
}

export interface IDiffFile {
  path: string;
  lines: IDiffLine[];
  added: number;
  removed: number;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

function pathOf(line: string): string {
  const found = /^diff --git (?:"?a\/.*?"?) "?b\/(.*?)"?$/.exec(line);
  return found?.[1] ?? line.replace(/^diff --git /, '');
}

class Reader {
  readonly files: IDiffFile[] = [];
  private before = 0;
  private after = 0;
  private inHunk = false;

  read(text: string): void {
    if (text.startsWith('diff --git ')) {
      this.files.push({ path: pathOf(text), lines: [], added: 0, removed: 0 });
      this.inHunk = false;
      return;
    }
    if (this.files.length === 0) {
      this.files.push({ path: '', lines: [], added: 0, removed: 0 });
    }
    this.files.at(-1)!.lines.push(this.line(text));
  }

  private line(text: string): IDiffLine {
    const hunk = HUNK.exec(text);
    if (hunk) {
      this.inHunk = true;
      this.before = Number(hunk[1]);
      this.after = Number(hunk[2]);
      return { kind: 'hunk', text, before: null, after: null };
    }
    if (!this.inHunk || text.startsWith('\\')) {
      return { kind: 'meta', text, before: null, after: null };
    }
    const file = this.files.at(-1)!;
    if (text.startsWith('+')) {
      file.added += 1;
      return { kind: 'added', text: text.slice(1), before: null, after: this.after++ };
    }
    if (text.startsWith('-')) {
      file.removed += 1;
      return { kind: 'removed', text: text.slice(1), before: this.before++, after: null };
    }
    return { kind: 'same', text: text.slice(1), before: this.before++, after: this.after++ };
  }
}

/** Splits a patch into its files. */
export function readPatch(patch: string): IDiffFile[] {
  const reader = new Reader();
  const lines = patch.split('\n');
  if (lines.at(-1) === '') {
    lines.pop();
  }
  lines.forEach(line => reader.read(line));
  return reader.files;
}
