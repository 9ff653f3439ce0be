/** Span is a stretch of a line in one style. */
export interface Span {
  text: string;
  /** 0–7, and 8–15 for the bright ones; undefined is the page's own. */
  color?: number;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
}

type Style = Omit<Span, "text">;

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
// Colours end in m; every other sequence moves a cursor that we do not have.
const sequences = new RegExp(
  `${ESC}\\[([0-9;:]*)([@-~])|${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|${ESC}[@-Z\\\\-_]`,
  "g",
);

/** parseAnsi splits a line into spans by its colour codes and drops all other codes. */
export function parseAnsi(raw: string): Span[] {
  const line = lastOverwrite(raw);
  const spans: Span[] = [];
  let style: Style = {};
  let from = 0;
  for (const found of line.matchAll(sequences)) {
    push(spans, line.slice(from, found.index), style);
    if (found[2] === "m") style = applySgr(style, found[1] ?? "");
    from = found.index + found[0].length;
  }
  push(spans, line.slice(from), style);
  return spans;
}

/** stripAnsi is a line's text alone. */
export function stripAnsi(line: string): string {
  return lastOverwrite(line).replace(sequences, "");
}

/** A progress bar writes over its line with \r: what stands at the end counts. */
function lastOverwrite(line: string): string {
  const parts = line.replace(/\r+$/, "").split("\r");
  return parts.at(-1) ?? "";
}

function push(spans: Span[], text: string, style: Style): void {
  if (text !== "") spans.push({ text, ...style });
}

function applySgr(before: Style, codes: string): Style {
  const style = { ...before };
  const list = codes === "" ? [0] : codes.split(/[;:]/).map(Number);
  for (let i = 0; i < list.length; i++) {
    const code = list[i] ?? 0;
    if (code === 38 || code === 48) {
      // 38;5;n is one of 256, 38;2;r;g;b is any: we keep what is among the sixteen.
      const length = list[i + 1] === 5 ? 2 : 4;
      const index = list[i + 2] ?? 16;
      if (code === 38) style.color = length === 2 && index < 16 ? index : undefined;
      i += length;
      continue;
    }
    if (code === 0) return applySgr({}, list.slice(i + 1).join(";") || "39");
    if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 22) Object.assign(style, { bold: undefined, dim: undefined });
    else if (code === 23) style.italic = undefined;
    else if (code === 24) style.underline = undefined;
    else if (code >= 30 && code <= 37) style.color = code - 30;
    else if (code >= 90 && code <= 97) style.color = code - 82;
    else if (code === 39) style.color = undefined;
  }
  return style;
}
