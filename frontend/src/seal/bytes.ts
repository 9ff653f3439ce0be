// Bytes in the forms that sealing needs. WebCrypto refuses shared memory, so
// everything here is backed by an ArrayBuffer of its own.

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const crockford = "0123456789abcdefghjkmnpqrstvwxyz";

export function utf8(text: string): Bytes {
  return Uint8Array.from(encoder.encode(text));
}

export function concat(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The number in `size` bytes, most significant first. Exact up to 2^53. */
export function bigEndian(value: number, size: number): Bytes {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Base64 for URLs, without padding. */
export function base64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The 16 bytes of an id (`org_…`): 26 digits of Crockford's base 32 after the prefix. */
export function idBytes(kind: string, id: string): Bytes {
  const digits = id.slice(kind.length + 1);
  if (!id.startsWith(`${kind}_`) || digits.length !== 26) throw new RangeError(`not an id of kind ${kind}: ${id}`);
  let number = 0n;
  for (const digit of digits) {
    const value = crockford.indexOf(digit);
    if (value < 0) throw new RangeError(`not an id of kind ${kind}: ${id}`);
    number = number * 32n + BigInt(value);
  }
  if (number >= 1n << 128n) throw new RangeError(`not an id of kind ${kind}: ${id}`);
  const bytes = new Uint8Array(16);
  for (let i = 15; i >= 0; i--) {
    bytes[i] = Number(number & 255n);
    number >>= 8n;
  }
  return bytes;
}
