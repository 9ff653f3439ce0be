/** Random gives the same numbers for the same seed, so that screenshots agree. */
export class Random {
  constructor(private state: number) {}

  /** next is at least 0 and below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return Math.floor(low + this.next() * (high - low));
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.between(0, list.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

const digits = "0123456789abcdefghjkmnpqrstvwxyz";

/** mockId makes an id of the right shape: `run_` and 26 digits of base 32. */
export function mockId(kind: string, seed: number): string {
  const random = new Random(seed * 7919 + kind.length * 104729 + kind.charCodeAt(0));
  let text = "01kb5";
  while (text.length < 26) text += digits[random.between(0, 32)];
  return `${kind}_${text}`;
}

/** mockHex makes hex digits, for digests. */
export function mockHex(seed: number, length = 64): string {
  const random = new Random(seed);
  let text = "";
  while (text.length < length) text += random.between(0, 16).toString(16);
  return text;
}
