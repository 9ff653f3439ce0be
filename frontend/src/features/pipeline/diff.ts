/** Change is a line of a comparison: kept, only in the old text, or only in the new one. */
export interface Change {
  kind: "same" | "removed" | "added";
  text: string;
  /** Line numbers from 1; undefined where the line is not in that text. */
  before?: number;
  after?: number;
}

/** diffLines compares two texts by lines, with a longest common subsequence. */
export function diffLines(before: string, after: string): Change[] {
  const a = lines(before);
  const b = lines(after);
  const common = lengths(a, b);
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      changes.push({ kind: "same", text: a[i] ?? "", before: ++i, after: ++j });
    } else if (j >= b.length || (i < a.length && at(common, i + 1, j) >= at(common, i, j + 1))) {
      changes.push({ kind: "removed", text: a[i] ?? "", before: ++i });
    } else {
      changes.push({ kind: "added", text: b[j] ?? "", after: ++j });
    }
  }
  return changes;
}

/** around keeps changes with some lines about them; undefined stands for what was left out. */
export function around(changes: readonly Change[], context: number): (Change | undefined)[] {
  const near = changes.map((_, i) =>
    changes.slice(Math.max(0, i - context), i + context + 1).some(({ kind }) => kind !== "same"),
  );
  const shown: (Change | undefined)[] = [];
  for (const [i, change] of changes.entries()) {
    if (near[i]) shown.push(change);
    else if (shown.length === 0 || shown.at(-1) !== undefined) shown.push(undefined);
  }
  return shown;
}

function lines(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}

/** lengths[i][j] is how many lines a[i:] and b[j:] have in common. */
function lengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = table[i];
      if (row)
        row[j] = a[i] === b[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

function at(table: number[][], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
