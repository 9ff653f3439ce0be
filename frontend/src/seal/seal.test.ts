import { describe, expect, it } from "vitest";
import envelopes from "../../../proto/seal/testdata/envelope.json";
import relay from "../../../proto/seal/testdata/relay.json";
import { type Bytes, concat, hex, idBytes, utf8 } from "./bytes";
import { type Binding, fingerprint, inspect, keyId, maxValue, sealedText, sealValue } from "./envelope";
import { exportPublicKey, setupRecipient, setupSender } from "./hpke";
import { logsOf, ReaderKey, type StreamOpener } from "./relay";

function unhex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The key pair of a raw private key: WebCrypto reads PKCS #8 only. */
async function keyPair(privateKey: Bytes, publicKey: Bytes): Promise<CryptoKeyPair> {
  const pkcs8 = concat(unhex("302e020100300506032b656e04220420"), privateKey);
  return {
    privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("raw", publicKey, { name: "X25519" }, true, []),
  };
}

const publicKey = unhex(envelopes.public);
const binding: Binding = {
  organization: "org_0g2491650n2rbhg68t3ce1t7gz",
  workspace: "ws_1044h269154rkjga9a5cp2tbhf",
  name: "params.epochs",
};

describe("envelope", () => {
  it("names the key as Go does", async () => {
    expect(await keyId(publicKey)).toBe(envelopes.kid);
    expect(await fingerprint(publicKey)).toBe(envelopes.fingerprint);
  });

  it.each(envelopes.cases)("seals $name as Go does", async (vector) => {
    const enc = unhex(vector.envelope).slice(9, 41);
    const envelope = await sealValue(
      publicKey,
      { organization: vector.org, workspace: vector.workspace, name: vector.name },
      unhex(vector.value),
      {
        ephemeral: await keyPair(unhex(vector.ephemeral), enc),
        contentKey: unhex(vector.content_key),
        nonce: unhex(vector.nonce),
      },
    );
    expect(hex(envelope)).toBe(vector.envelope);
    expect(sealedText(envelope)).toBe(vector.text);
    expect(inspect(envelope).kid).toBe(envelopes.kid);
  });

  it("seals differently each time, and hides small differences in length", async () => {
    const [yes, no] = await Promise.all([
      sealValue(publicKey, binding, utf8("true")),
      sealValue(publicKey, binding, utf8("false")),
    ]);
    expect(yes.length).toBe(no.length);
    expect(inspect(yes)).toEqual({ kid: envelopes.kid, size: 32 });
    expect(hex(await sealValue(publicKey, binding, utf8("true")))).not.toBe(hex(yes));
  });

  it("refuses what cannot be sealed", async () => {
    const tooLarge = sealValue(publicKey, binding, new Uint8Array(maxValue + 1));
    await expect(tooLarge).rejects.toMatchObject({ reason: "too_large" });
    for (const key of [new Uint8Array(31), new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
      await expect(sealValue(key, binding, utf8("x"))).rejects.toMatchObject({ reason: "bad_key" });
    }
    await expect(sealValue(publicKey, { ...binding, name: "" }, utf8("x"))).rejects.toThrow(RangeError);
    await expect(sealValue(publicKey, { ...binding, workspace: binding.organization }, utf8("x"))).rejects.toThrow(
      "not an id of kind ws",
    );
  });

  it("inspects only what can be an envelope", () => {
    expect(() => inspect(new Uint8Array(0))).toThrow("changed");
    expect(() => inspect(new Uint8Array([2]))).toThrow("newer release");
    expect(() => inspect(unhex(envelopes.cases[0]?.envelope ?? "").slice(1))).toThrow();
  });

  it("reads the ids' text as Go does", () => {
    expect(hex(idBytes("org", "org_0g2491650n2rbhg68t3ce1t7gz"))).toBe("101112131415161718191a1b1c1d1e1f");
    for (const id of [
      "org_8zzzzzzzzzzzzzzzzzzzzzzzzz",
      "org_0",
      "ws_0g2491650n2rbhg68t3ce1t7gz",
      `org_${"u".repeat(26)}`,
    ]) {
      expect(() => idBytes("org", id)).toThrow(RangeError);
    }
  });
});

describe("hpke", () => {
  it("opens what it seals, in order", async () => {
    const pair = await keyPair(unhex(relay.private), unhex(relay.public));
    const sender = await setupSender(await exportPublicKey(pair.publicKey), utf8("info"));
    const recipient = await setupRecipient(pair, sender.enc, utf8("info"));
    for (const text of ["one", "", "three"]) {
      const sealed = await sender.seal(utf8("aad"), utf8(text));
      expect(await recipient.open(utf8("aad"), sealed)).toEqual(utf8(text));
    }
    const sealed = await sender.seal(utf8("aad"), utf8("four"));
    await expect(recipient.open(utf8("other"), sealed)).rejects.toMatchObject({ reason: "corrupt" });
  });
});

describe("relay", () => {
  const frames = relay.frames.map((vector) => unhex(vector.frame));
  const stream = { organization: relay.org, run: relay.run, what: relay.what };

  async function opener(change: Partial<typeof stream> = {}): Promise<StreamOpener> {
    const own = unhex(relay.public);
    return new ReaderKey(await keyPair(unhex(relay.private), own), own).opener({ ...stream, ...change });
  }

  /** Opens frames up to the first error, that of finish included. */
  async function openAll(stream: StreamOpener, given: Bytes[]): Promise<{ opened: number; error: unknown }> {
    const results = await Promise.allSettled(given.map((frame) => stream.open(frame)));
    const opened = results.filter((result) => result.status === "fulfilled").length;
    const error = await stream.finish().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { opened, error };
  }

  it("opens what Go sealed", async () => {
    const opening = await opener();
    for (const [n, vector] of relay.frames.entries()) {
      const { payload, final } = await opening.open(frames[n] ?? new Uint8Array(0));
      expect(hex(payload)).toBe(vector.payload);
      expect(final).toBe(vector.final);
    }
    await expect(opening.finish()).resolves.toBeUndefined();
    expect(relay.what).toBe(logsOf("fold[3]/train", 1));
  });

  it("keeps the order of calls that are not awaited", async () => {
    expect(await openAll(await opener(), frames)).toEqual({ opened: frames.length, error: undefined });
  });

  it.each([
    ["a frame left out", [0, 2, 3], 1, "corrupt"],
    ["frames exchanged", [0, 2, 1, 3], 1, "corrupt"],
    ["a frame twice", [0, 1, 1, 2, 3], 2, "corrupt"],
    ["the first frame twice", [0, 0, 1, 2, 3], 1, "corrupt"],
    ["no first frame", [1, 2, 3], 0, "corrupt"],
    ["a frame after the last", [0, 1, 2, 3, 3], 4, "corrupt"],
    ["the end missing", [0, 1, 2], 3, "truncated"],
    ["nothing", [], 0, "truncated"],
  ])("notices %s", async (_, order, opened, reason) => {
    const given = order.map((n) => frames[n] ?? new Uint8Array(0));
    expect(await openAll(await opener(), given)).toMatchObject({ opened, error: { reason } });
  });

  it("notices any flipped bit", async () => {
    const first = frames[0] ?? new Uint8Array(0);
    for (let at = 0; at < first.length; at++) {
      const changed = first.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await expect((await opener()).open(changed)).rejects.toThrow();
    }
  });

  it.each([{ what: "logs|fold[3]/train|2" }, { run: "run_1g64s36d1n6rvkge9t7cy3tfhy" }])(
    "opens only as itself: %o",
    async (change) => {
      expect(await openAll(await opener(change), frames)).toMatchObject({ opened: 0, error: { reason: "corrupt" } });
    },
  );

  it("makes keys whose private half stays", async () => {
    const key = await ReaderKey.generate();
    expect(key.publicKey.length).toBe(32);
    expect(hex((await ReaderKey.generate()).publicKey)).not.toBe(hex(key.publicKey));
    await expect(key.opener(stream).open(frames[0] ?? new Uint8Array(0))).rejects.toMatchObject({ reason: "corrupt" });
  });
});
