// Values sealed to a workspace: the browser seals params, only agents (and the
// CLI with an exported key) open them. The format is proto/seal's, byte by byte;
// its package comment explains it.

import { type Bytes, base64url, concat, hex, idBytes, utf8 } from "./bytes";
import { SealError } from "./error";
import { publicKeySize, setupSender } from "./hpke";

/** The largest value in bytes. */
export const maxValue = 64 * 1024;

const version = 1;
const kidSize = 8;
const nonceSize = 12;
const tagSize = 16;
const contentKeySize = 32;
const headerSize = 1 + kidSize + publicKeySize + contentKeySize + tagSize;
const padTo = 32;

/** What an envelope is bound to: it opens only as what it was sealed. */
export interface Binding {
  /** `org_…` */
  organization: string;
  /** `ws_…` */
  workspace: string;
  /** Of paramName, signalName or outputName. */
  name: string;
}

/** Fixed randomness, for tests with vectors only. */
export interface Randomness {
  ephemeral: CryptoKeyPair;
  contentKey: Bytes;
  nonce: Bytes;
}

export function paramName(param: string): string {
  return `params.${param}`;
}

/** Whoever sends a signal cannot know which task will take it. */
export function signalName(signal: string): string {
  return `signals.${signal}`;
}

export function outputName(task: string, output: string): string {
  // The same for all items of a map: fold[3]/train is fold/train.
  return `outputs.${task.replaceAll(/\[[0-9,]*\]/g, "")}.${output}`;
}

/** The name of a workspace's public key: 16 hex digits. */
export async function keyId(publicKey: Uint8Array): Promise<string> {
  return hex((await sha256(publicKey)).slice(0, kidSize));
}

/** What a person compares with the agent's: eight groups of four hex digits. */
export async function fingerprint(publicKey: Uint8Array): Promise<string> {
  const digits = hex((await sha256(publicKey)).slice(0, 16));
  return (digits.match(/.{4}/g) ?? []).join("-");
}

/**
 * Makes an envelope of value for the workspace with that public key. Each call
 * makes its own content key: a page seals a handful of values.
 */
export async function sealValue(
  publicKey: Uint8Array,
  binding: Binding,
  value: Uint8Array,
  fixed?: Randomness,
): Promise<Bytes> {
  if (publicKey.length !== publicKeySize) throw new SealError("bad_key");
  if (value.length > maxValue) throw new SealError("too_large");
  if (binding.name === "") throw new RangeError("a value is sealed under a name");
  const to = concat(publicKey);
  const contentKey = fixed?.contentKey ?? crypto.getRandomValues(new Uint8Array(contentKeySize));
  const nonce = fixed?.nonce ?? crypto.getRandomValues(new Uint8Array(nonceSize));

  const sender = await setupSender(to, utf8("signalbox content key v1"), fixed?.ephemeral);
  const wrapped = await sender.seal(new Uint8Array(0), contentKey);
  const kid = (await sha256(to)).slice(0, kidSize);
  const header = concat(new Uint8Array([version]), kid, sender.enc, wrapped);

  const key = await crypto.subtle.importKey("raw", contentKey, "AES-GCM", false, ["encrypt"]);
  const additionalData = associate(binding, header);
  const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, key, pad(value));
  return concat(header, nonce, new Uint8Array(ciphertext));
}

/** What anybody can see of an envelope: its key, and its size rounded up to 32 bytes. */
export function inspect(envelope: Uint8Array): { kid: string; size: number } {
  if (envelope.length > 0 && envelope[0] !== version) throw new SealError("version");
  const size = envelope.length - headerSize - nonceSize - tagSize;
  if (size <= 0 || size % padTo !== 0 || size > maxValue + padTo) throw new SealError("corrupt");
  return { kid: hex(envelope.slice(1, 1 + kidSize)), size };
}

/** An envelope as it stands in a pipeline file: `sealed:…`. */
export function sealedText(envelope: Uint8Array): string {
  return `sealed:${base64url(envelope)}`;
}

function associate(binding: Binding, header: Bytes): Bytes {
  return concat(
    utf8("signalbox value v1\0"),
    header,
    idBytes("org", binding.organization),
    idBytes("ws", binding.workspace),
    utf8(binding.name),
  );
}

/** Hides a value's length: `true` and `false` look alike. */
function pad(value: Uint8Array): Bytes {
  const padded = new Uint8Array((Math.floor(value.length / padTo) + 1) * padTo);
  padded.set(value);
  padded[value.length] = 0x80;
  return padded;
}

async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(bytes)));
}
