/** sortedEntries lists labels by key, so that they never jump between answers. */
export function sortedEntries(labels: Record<string, string>): [string, string][] {
  return Object.entries(labels).sort(([a], [b]) => a.localeCompare(b));
}

/** splitLabel reads `key=value`; undefined for anything else. */
export function splitLabel(text: string): [string, string] | undefined {
  const at = text.indexOf("=");
  return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : undefined;
}
