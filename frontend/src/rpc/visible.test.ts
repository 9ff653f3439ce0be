// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";
import { untilVisible, whileVisible } from "./visible";

function hide(hidden: boolean) {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

afterEach(() => hide(false));

/** A stream that ends only when it is aborted. */
const endless = (signal: AbortSignal) =>
  new Promise<never>((_, fail) => signal.addEventListener("abort", () => fail(new Error("aborted"))));

describe("whileVisible", () => {
  it("gives back a stream that nobody looks at", async () => {
    const ended = whileVisible(new AbortController().signal, endless, 1);
    hide(true);
    expect(await ended).toEqual({ hidden: true });
  });

  it("lets a short look away pass", async () => {
    let finish: (text: string) => void = () => undefined;
    const ended = whileVisible(
      new AbortController().signal,
      () => new Promise<string>((done) => (finish = done)),
      1000,
    );
    hide(true);
    hide(false);
    finish("done");
    expect(await ended).toEqual({ hidden: false, result: "done" });
  });

  it("passes on errors, and the caller's own stop", async () => {
    const stop = new AbortController();
    await expect(whileVisible(stop.signal, () => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
    const ended = whileVisible(stop.signal, endless);
    stop.abort();
    await expect(ended).rejects.toThrow("aborted");
  });
});

describe("untilVisible", () => {
  it("waits for the reader", async () => {
    hide(true);
    const seen: string[] = [];
    const waiting = untilVisible(new AbortController().signal).then(() => seen.push("visible"));
    await Promise.resolve();
    expect(seen).toEqual([]);
    hide(false);
    await waiting;
    expect(seen).toEqual(["visible"]);
  });
});
