import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { TaskSchema } from "@/gen/signalbox/run/v1/run_pb";
import { whyWaiting } from "./wait";

type Init = Exclude<MessageInitShape<typeof TaskSchema>, { $typeName: string }>;
const task = (init: Init) => create(TaskSchema, { pool: "cpu", ...init });
const upstream = ["a", "b", "c", "d", "e", "f"].map((name) => task({ name, state: "running" }));
const all = upstream.map(({ name }) => name);

const cases: [string, Init, string | undefined][] = [
  ["one upstream task", { state: "pending", needs: ["a"] }, "Waits for a."],
  ["two", { state: "pending", needs: ["a", "b"] }, "Waits for a and b."],
  ["many", { state: "pending", needs: all }, "Waits for a, b, c, d and 2 more."],
  ["a failure", { state: "pending", exit: "failed" }, "Runs when the run has ended, if it fails."],
  ["the end", { state: "pending", exit: "always" }, "Runs when the run has ended."],
  ["a slot", { state: "ready" }, "Queued in the pool cpu."],
  ["a slot, with a reason", { state: "ready", reason: "agents full" }, "Queued in cpu: agents full."],
  [
    "a retry",
    { state: "backoff", retryAt: timestampFromMs(65_000), reason: "exit 1" },
    "Tries again in 1m, after exit 1.",
  ],
  ["a retry that is due", { state: "backoff", retryAt: timestampFromMs(1000) }, "Tries again now."],
  ["nothing", { state: "running" }, undefined],
  ["what is not there", { state: "pending", needs: ["gone"] }, undefined],
];

describe("whyWaiting", () => {
  it.each(cases)("waits for %s", (_, init, text) => expect(whyWaiting(task(init), upstream, 5000)).toBe(text));
  it("does not wait for what has ended", () => {
    const done = [task({ name: "a", state: "succeeded" }), task({ name: "b", state: "running" })];
    expect(whyWaiting(task({ state: "pending", needs: ["a", "b"] }), done, 0)).toBe("Waits for b.");
  });
});
