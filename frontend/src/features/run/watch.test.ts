// @vitest-environment happy-dom

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { RunSchema, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { RunWatch, waitBefore } from "./watch";

function watchOf(answer: (call: number) => AsyncGenerator<{ run: ReturnType<typeof run>; tasks: never[] }>) {
  let calls = 0;
  const transport = createRouterTransport(({ service }) => service(RunService, { watchRun: () => answer(++calls) }));
  const cache = new QueryClient();
  const watch = new RunWatch(transport, cache, "run_1");
  const seen: string[] = [];
  const key = createConnectQueryKey({
    schema: RunService.method.getRun,
    input: { id: "run_1" },
    transport,
    cardinality: "finite",
  });
  const stop = watch.subscribe(() => seen.push(watch.snapshot()));
  return { watch, seen, stop, state: () => cache.getQueryData(key)?.run?.state, calls: () => calls };
}

const run = (state: string) => create(RunSchema, { id: "run_1", state });

describe("RunWatch", () => {
  it("writes each change into the cache and ends with the run", async () => {
    const it = watchOf(async function* () {
      yield { run: run("running"), tasks: [] };
      yield { run: run("succeeded"), tasks: [] };
    });
    await vi.waitFor(() => expect(it.seen).toEqual(["live", "ended"]));
    expect(it.state()).toBe("succeeded");
  });

  it("opens a lost stream again and says so meanwhile", async () => {
    const it = watchOf(async function* (call) {
      yield { run: run(call === 1 ? "running" : "failed"), tasks: [] };
      if (call === 1) throw new ConnectError("gone", Code.Unavailable);
    });
    await vi.waitFor(() => expect(it.seen).toEqual(["live", "reconnecting", "live", "ended"]), { timeout: 3000 });
    expect(it.state()).toBe("failed");
  });

  it("does not ask for ever for what it may not see", async () => {
    const it = watchOf(async function* () {
      yield* [];
      throw new ConnectError("no", Code.NotFound);
    });
    await vi.waitFor(() => expect(it.seen).toEqual(["ended"]));
    expect(it.calls()).toBe(1);
  });

  it("stops when nobody looks any more", async () => {
    let aborted = false;
    const it = watchOf(async function* () {
      yield { run: run("running"), tasks: [] };
      try {
        await new Promise(() => undefined);
      } finally {
        aborted = true;
      }
    });
    await vi.waitFor(() => expect(it.seen).toEqual(["live"]));
    it.stop();
    expect(it.calls()).toBe(1);
    expect(aborted).toBe(false);
  });
});

describe("waitBefore", () => {
  it("doubles up to ten seconds, and never all at once", () => {
    expect([1, 2, 3, 9].map((n) => waitBefore(n, 1))).toEqual([500, 1000, 2000, 10_000]);
    expect(waitBefore(3, 0)).toBe(1000);
  });
});
