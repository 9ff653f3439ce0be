import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { AttemptSchema, type ItemsSchema, TaskSchema } from "@/gen/signalbox/run/v1/run_pb";
import { ticksOf, timelineOf, totals } from "./model";

const at = timestampFromMs;
type Init = Exclude<MessageInitShape<typeof AttemptSchema>, { $typeName: string }>;
const attempt = (init: Init) => create(AttemptSchema, init);
const task = (name: string, ...attempts: Init[]) => create(TaskSchema, { name, attempts: attempts.map(attempt) });

describe("timelineOf", () => {
  it("shows waiting apart from work", () => {
    const done = {
      number: 1,
      state: "succeeded",
      readyAt: at(100),
      grantedAt: at(300),
      startedAt: at(350),
      finishedAt: at(900),
    };
    const { rows } = timelineOf([task("a", done)], 0, 1000, 5000);
    expect(rows[0]?.segments.map(({ kind, from, to, tone }) => [kind, from, to, tone])).toEqual([
      ["queued", 100, 300, "neutral"],
      ["starting", 300, 350, "neutral"],
      ["running", 350, 900, "good"],
    ]);
    expect(totals(rows[0]?.segments ?? [])).toEqual({ queued: 200, starting: 50, running: 550, backoff: 0, parts: 0 });
  });

  it("lets what runs grow until now", () => {
    const { rows, to } = timelineOf(
      [task("a", { number: 1, state: "running", startedAt: at(100) })],
      0,
      undefined,
      700,
    );
    expect(rows[0]?.segments).toMatchObject([{ kind: "running", from: 100, to: 700, open: true, tone: "run" }]);
    expect(to).toBe(700);
  });

  it("shows the wait before a retry", () => {
    const { rows } = timelineOf(
      [
        task(
          "a",
          { number: 1, state: "failed", readyAt: at(0), grantedAt: at(0), startedAt: at(10), finishedAt: at(100) },
          { number: 2, state: "running", readyAt: at(400), grantedAt: at(420), startedAt: at(430) },
        ),
      ],
      0,
      undefined,
      500,
    );
    expect(rows[0]?.segments.map(({ kind, attempt: n }) => [kind, n])).toEqual([
      ["starting", 1],
      ["running", 1],
      ["backoff", 2],
      ["queued", 2],
      ["starting", 2],
      ["running", 2],
    ]);
  });

  it("spans the parts of a map, until now while there are more to come", () => {
    const map = (state: string, items: MessageInitShape<typeof ItemsSchema>) =>
      timelineOf([create(TaskSchema, { name: "a", kind: "map", state, items })], 0, undefined, 700).rows[0]?.segments;
    expect(map("expanding", { total: 3 })).toEqual([]);
    expect(map("expanding", { total: 3, firstStart: at(100) })).toMatchObject([
      { kind: "parts", from: 100, to: 700, open: true, tone: "run" },
    ]);
    expect(map("failed", { total: 3, firstStart: at(100), lastEnd: at(400) })).toMatchObject([
      { kind: "parts", from: 100, to: 400, open: false, tone: "bad" },
    ]);
  });

  it("has a row for a task that never started, and room for a clock that lags", () => {
    expect(timelineOf([task("a")], 50, undefined, 10)).toMatchObject({ rows: [{ segments: [] }], from: 50, to: 51 });
  });
});

describe("ticksOf", () => {
  it.each([
    [9000, 6, [0, 2000, 4000, 6000, 8000]],
    [500, 6, [0, 100, 200, 300, 400, 500]],
    [3, 6, [0]],
    [3_600_000, 4, [0, 900_000, 1_800_000, 2_700_000, 3_600_000]],
  ])("of %d ms", (span, most, ticks) => expect(ticksOf(span, most)).toEqual(ticks));
  it("never makes too many", () => expect(ticksOf(400 * 86_400_000, 8).length).toBeLessThanOrEqual(9));
});
