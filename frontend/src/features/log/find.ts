import { stripAnsi } from "./ansi";
import type { LogLine } from "./line";

/** findLines lists the indices of the lines that hold a text, in any case. */
export function findLines(lines: readonly LogLine[], text: string): number[] {
  const wanted = text.toLowerCase();
  if (wanted === "") return [];
  return lines.flatMap((line, i) => (stripAnsi(line.text).toLowerCase().includes(wanted) ? [i] : []));
}

/** step goes to the next or the previous of some found lines, around the end. */
export function step(found: readonly number[], at: number | undefined, by: 1 | -1): number | undefined {
  if (found.length === 0) return undefined;
  if (at === undefined) return by === 1 ? found[0] : found.at(-1);
  const next = by === 1 ? found.find((i) => i > at) : found.findLast((i) => i < at);
  return next ?? (by === 1 ? found[0] : found.at(-1));
}
