import { fingerprint, keyId } from "@/seal";
import { exportPublicKey, generateKeyPair } from "@/seal/hpke";

let key: { kid: string; publicKey: Uint8Array<ArrayBuffer>; fingerprint: string } | undefined;

/** makeMockKey makes the workspace's key pair and forgets the private half, as a server never had it. */
export async function makeMockKey(): Promise<void> {
  const pair = await generateKeyPair();
  const publicKey = await exportPublicKey(pair.publicKey);
  key = { publicKey, kid: await keyId(publicKey), fingerprint: await fingerprint(publicKey) };
}

export function mockKey() {
  return key;
}
