/** Token is a stretch of a line of YAML in one role. */
export interface Token {
  text: string;
  role: "plain" | "key" | "string" | "comment" | "template" | "number" | "mark";
}

const pattern = new RegExp(
  [
    "(?<comment>(?:^|(?<=\\s))#.*$)",
    "(?<template>\\$\\{\\{.*?\\}\\})",
    "(?<key>(?:\"[^\"]*\"|'[^']*'|[A-Za-z_][\\w.<>-]*)(?=\\s*:(?:\\s|$)))",
    "(?<string>\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^']|'')*')",
    "(?<number>(?<![\\w.-])-?\\d+(?:\\.\\d+)?(?:[smhdKMG]i?)?(?![\\w.]))",
    "(?<mark>[{}\\[\\],]|^\\s*-(?=\\s))",
  ].join("|"),
  "gu",
);

/** tokenize colours one line. It is a help for reading, no parser: what it does not know stays plain. */
export function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let from = 0;
  for (const found of line.matchAll(pattern)) {
    if (found.index > from) tokens.push({ text: line.slice(from, found.index), role: "plain" });
    const role = Object.entries(found.groups ?? {}).find(([, text]) => text !== undefined)?.[0] as Token["role"];
    tokens.push(...withTemplates(found[0], role));
    from = found.index + found[0].length;
  }
  if (from < line.length) tokens.push({ text: line.slice(from), role: "plain" });
  return tokens;
}

/** A template inside a quoted string is still a template. */
function withTemplates(text: string, role: Token["role"]): Token[] {
  if (role !== "string") return [{ text, role }];
  return text
    .split(/(\$\{\{.*?\}\})/)
    .filter((part) => part !== "")
    .map((part) => ({ text: part, role: part.startsWith("${{") ? "template" : role }));
}
