const numbers = new Intl.NumberFormat("en-US");

/** formatCount writes a whole number with thousands apart. */
export function formatCount(n: number | bigint): string {
  return numbers.format(n);
}

/** plural picks the word for a count: `1 run`, `2 runs`. */
export function plural(n: number | bigint, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${BigInt(n) === 1n ? one : many}`;
}
