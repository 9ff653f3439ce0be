import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { ExplanationSchema } from "@/gen/signalbox/run/v1/explain_pb";
import { WaitingSchema } from "@/gen/signalbox/run/v1/run_pb";
import { groupSame, isWaiting, sentenceOf, stuckOf, whyPending } from "./waiting";

const explained = (task: string, reason: string, text: string, hint = "") =>
  create(ExplanationSchema, { task, reason, text, hint });

const cases: [Exclude<MessageInitShape<typeof WaitingSchema>, { $typeName: string }>, string][] = [
  [{ reason: "start_at", startAt: timestampFromMs(65_000) }, "It begins in 1m, as was asked for."],
  [{ reason: "start_at", startAt: timestampFromMs(4000) }, "It begins now."],
  [{ reason: "concurrency", position: 2 }, "Other runs of train go first: it is number 2 in the queue."],
  [{ reason: "concurrency", concurrencyKey: "eu" }, "Others with the concurrency key eu go first."],
  [{ reason: "pipeline_paused" }, "The pipeline train is paused."],
  [{ reason: "the moon" }, "The moon."],
];

describe("whyPending", () => {
  it.each(cases)("says %o", (waiting, text) =>
    expect(whyPending({ state: "pending", pipeline: "train", waiting: create(WaitingSchema, waiting) }, 5000)).toBe(
      text,
    ),
  );
  it("says nothing of a run that began", () =>
    expect(whyPending({ state: "running", pipeline: "train" }, 0)).toBeUndefined());
});

describe("explanations", () => {
  const paused = "pool gpu is paused";
  const list = [
    explained("a", "pool_paused", paused, "signalbox pool resume gpu"),
    explained("b", "upstream", "it waits for a (ready)"),
    explained("c", "pool_paused", paused, "signalbox pool resume gpu"),
    explained("d", "limit", "limit api is reached: 2 of 2 units held"),
  ];
  it("are sentences", () => expect(list.map(sentenceOf)[1]).toBe("It waits for a (ready)."));
  it("are told apart by who has to act", () => expect(stuckOf(list).map(({ task }) => task)).toEqual(["a", "c"]));
  it("are put together where they are the same", () =>
    expect(groupSame(stuckOf(list)).map(({ tasks }) => tasks)).toEqual([["a", "c"]]));
  it("are wanted of what waits", () =>
    expect(["pending", "held", "running", "failed"].filter((state) => isWaiting({ state }))).toEqual([
      "pending",
      "held",
    ]));
});
