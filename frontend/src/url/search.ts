/**
 * Search is what a URL may hold after the question mark: texts, or lists of
 * texts by repeating the key. Routes validate it; nothing is JSON, so that a
 * person can read and type it.
 */
export type Search = Record<string, unknown>;

export function parseSearch(text: string): Search {
  const search: Record<string, string | string[]> = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const before = search[key];
    search[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return search;
}

/** stringifySearch writes keys in order, so that one view has one address. */
export function stringifySearch(search: Search): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search).sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== null && item !== "" && item !== false) params.append(key, String(item));
    }
  }
  const text = params.toString().replaceAll("%3D", "=").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text === "" ? "" : `?${text}`;
}

/** textOf reads one text; the last wins where there are more. */
export function textOf(search: Search, key: string): string | undefined {
  const value = search[key];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === "string" && last !== "" ? last : undefined;
}

/** listOf reads all texts of a key, without repetition. */
export function listOf(search: Search, key: string): string[] {
  const value = search[key];
  const list = Array.isArray(value) ? value : [value];
  return [...new Set(list.filter((item): item is string => typeof item === "string" && item !== ""))];
}

/** oneOf reads a text that must be among the known ones. */
export function oneOf<T extends string>(search: Search, key: string, known: readonly T[]): T | undefined {
  const value = textOf(search, key);
  return known.find((item) => item === value);
}

/** countOf reads a whole number from 1. */
export function countOf(search: Search, key: string): number | undefined {
  const value = Number(search[key]);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
