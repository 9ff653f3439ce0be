// HPKE (RFC 9180) in base mode, for the one suite that Signalbox uses:
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. WebCrypto does the
// arithmetic; this file is the key schedule of RFC 9180, sections 4 and 5.
// Its counterpart is Go's crypto/hpke.

import { type Bytes, bigEndian, concat, utf8 } from "./bytes";
import { SealError } from "./error";

export const publicKeySize = 32;

const none: Bytes = new Uint8Array(0);
const kemSuite = concat(utf8("KEM"), bigEndian(0x20, 2));
const hpkeSuite = concat(utf8("HPKE"), bigEndian(0x20, 2), bigEndian(0x01, 2), bigEndian(0x02, 2));
const hashSize = 32;
const nonceSize = 12;

/** Seals to a public key, message after message. */
export interface Sender {
  /** What the recipient needs to begin. */
  readonly enc: Bytes;
  seal(aad: Bytes, plaintext: Bytes): Promise<Bytes>;
}

/** Opens what a Sender sealed, in the same order. */
export interface Recipient {
  /** Throws SealError("corrupt") for anything but the next message. */
  open(aad: Bytes, ciphertext: Bytes): Promise<Bytes>;
}

export function generateKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]) as Promise<CryptoKeyPair>;
}

export async function exportPublicKey(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", key));
}

/** `ephemeral` is for tests; a key pair must never seal twice. */
export async function setupSender(to: Bytes, info: Bytes, ephemeral?: CryptoKeyPair): Promise<Sender> {
  const pair = ephemeral ?? (await generateKeyPair());
  const enc = await exportPublicKey(pair.publicKey);
  const secret = await sharedSecret(pair.privateKey, to, concat(enc, to));
  const { key, nonce } = await schedule(secret, info, "encrypt");
  return {
    enc,
    async seal(aad, plaintext) {
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce(), additionalData: aad }, key, plaintext);
      return new Uint8Array(sealed);
    },
  };
}

export async function setupRecipient(pair: CryptoKeyPair, enc: Bytes, info: Bytes): Promise<Recipient> {
  const own = await exportPublicKey(pair.publicKey);
  const secret = await sharedSecret(pair.privateKey, enc, concat(enc, own));
  const { key, nonce } = await schedule(secret, info, "decrypt");
  return {
    async open(aad, ciphertext) {
      try {
        const opened = await crypto.subtle.decrypt(
          { name: "AES-GCM", iv: nonce(), additionalData: aad },
          key,
          ciphertext,
        );
        return new Uint8Array(opened);
      } catch {
        throw new SealError("corrupt");
      }
    },
  };
}

/** DHKEM: the shared secret of one private and one public key (section 4.1). */
async function sharedSecret(own: CryptoKey, other: Bytes, context: Bytes): Promise<Bytes> {
  const dh = await diffieHellman(own, other);
  const prk = await labeledExtract(kemSuite, none, "eae_prk", dh);
  return labeledExpand(kemSuite, prk, "shared_secret", context, hashSize);
}

async function diffieHellman(own: CryptoKey, other: Bytes): Promise<Bytes> {
  let dh: Bytes;
  try {
    const key = await crypto.subtle.importKey("raw", other, { name: "X25519" }, false, []);
    dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: key }, own, 256));
  } catch {
    throw new SealError("bad_key");
  }
  // Points of low order give zero, which everybody knows (RFC 7748, section 6.1).
  if (dh.every((byte) => byte === 0)) throw new SealError("bad_key");
  return dh;
}

/** The key schedule without a pre-shared key (section 5.1). */
async function schedule(secret: Bytes, info: Bytes, usage: "encrypt" | "decrypt") {
  const mode = new Uint8Array([0]);
  const pskIdHash = await labeledExtract(hpkeSuite, none, "psk_id_hash", none);
  const infoHash = await labeledExtract(hpkeSuite, none, "info_hash", info);
  const context = concat(mode, pskIdHash, infoHash);
  const prk = await labeledExtract(hpkeSuite, secret, "secret", none);
  const raw = await labeledExpand(hpkeSuite, prk, "key", context, 32);
  const baseNonce = await labeledExpand(hpkeSuite, prk, "base_nonce", context, nonceSize);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [usage]);
  let seq = 0;
  /** The nonce of the next message: base nonce xor its number (section 5.2). */
  const nonce = (): Bytes => {
    const number = bigEndian(seq++, nonceSize);
    return Uint8Array.from(baseNonce, (byte, i) => byte ^ (number[i] ?? 0));
  };
  return { key, nonce };
}

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  // An empty salt means zeros, and WebCrypto refuses an empty key.
  const material = key.length > 0 ? key : new Uint8Array(hashSize);
  const imported = await crypto.subtle.importKey("raw", material, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

function labeledExtract(suite: Bytes, salt: Bytes, label: string, material: Bytes): Promise<Bytes> {
  return hmac(salt, concat(utf8("HPKE-v1"), suite, utf8(label), material));
}

/** At most one block of the hash, which is all that this suite asks for. */
async function labeledExpand(suite: Bytes, prk: Bytes, label: string, info: Bytes, size: number): Promise<Bytes> {
  const block = concat(bigEndian(size, 2), utf8("HPKE-v1"), suite, utf8(label), info, new Uint8Array([1]));
  return (await hmac(prk, block)).slice(0, size);
}
