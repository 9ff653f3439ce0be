/** lineOfHash reads the permalink of a line: `L120`, with or without the #. */
export function lineOfHash(hash: string): number | undefined {
  const found = /^#?L([1-9]\d{0,8})$/.exec(hash);
  return found ? Number(found[1]) : undefined;
}
