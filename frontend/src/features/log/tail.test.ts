// @vitest-environment happy-dom

import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import type { Piece } from "@/features/relay/stream";
import { DetailSchema, Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { SealError } from "@/seal";
import { LogTail, type Open } from "./tail";

const payload = (...offsets: number[]): Piece => ({
  kind: "payload",
  bytes: new TextEncoder().encode(
    offsets.map((offset) => `${JSON.stringify({ offset, text: `line ${offset}\n` })}\n`).join(""),
  ),
});

function start(open: Open) {
  const tail = new LogTail(open, 1);
  const states: string[] = [];
  const stop = tail.subscribe(() => {
    const { state } = tail.snapshot();
    if (states.at(-1) !== state) states.push(state);
  });
  return { tail, states, stop, texts: () => tail.snapshot().lines.map(({ text }) => text) };
}

describe("LogTail", () => {
  it("reads to the end", async () => {
    const { states, texts, tail } = start(async function* () {
      yield { kind: "opened", agent: "worker-1" };
      yield payload(0, 10);
    });
    await vi.waitFor(() => expect(states).toEqual(["asked", "live", "ended"]));
    expect(texts()).toEqual(["line 0", "line 10"]);
    expect(tail.snapshot()).toMatchObject({ agent: "worker-1", count: 2 });
  });

  it("goes on where it broke and shows each line once", async () => {
    const asked: number[] = [];
    const { states, texts } = start(async function* (offset) {
      asked.push(offset);
      if (asked.length === 1) {
        yield payload(0, 10);
        throw new SealError("truncated");
      }
      yield payload(10, 20);
    });
    await vi.waitFor(() => expect(states).toEqual(["live", "reconnecting", "live", "ended"]));
    expect(asked).toEqual([0, 10]);
    expect(texts()).toEqual(["line 0", "line 10", "line 20"]);
  });

  it.each([
    ["changed frames", new SealError("corrupt")],
    [
      "no agent",
      new ConnectError("none", Code.Unavailable, undefined, [
        { desc: DetailSchema, value: { reason: Reason.NO_AGENT_ONLINE } },
      ]),
    ],
  ])("stops at once at %s, and reads on when asked", async (_, error) => {
    let calls = 0;
    const { states, tail } = start(async function* () {
      calls += 1;
      if (calls === 1) throw error;
      yield payload(0);
    });
    await vi.waitFor(() => expect(states).toEqual(["failed"]));
    expect(calls).toBe(1);
    tail.retry();
    await vi.waitFor(() => expect(states.at(-1)).toBe("ended"));
  });

  it("gives up after five failures in a row", async () => {
    let calls = 0;
    const { states } = start(async function* () {
      calls += 1;
      yield* [];
      throw new ConnectError("down", Code.Unavailable);
    });
    await vi.waitFor(() => expect(states.at(-1)).toBe("failed"));
    expect(calls).toBe(5);
  });
});
