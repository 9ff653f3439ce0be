import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ScheduleSchema, SpecSchema } from "@/gen/signalbox/schedule/v1/schedule_pb";
import { localText, mineText, rulesText, scheduleLook, whenText, zoneText } from "./when";

describe("a schedule in words", () => {
  it("says when it fires", () => {
    expect(whenText(create(SpecSchema, { cron: "0 2 * * 1-5" }))).toBe("0 2 * * 1-5");
    expect(whenText(create(SpecSchema, { everyMs: 5_400_000n }))).toBe("every 1h 30m");
    expect(whenText(create(SpecSchema, { dates: ["2026-12-24", "2026-12-31"] }))).toBe("2026-12-24, 2026-12-31");
    expect(zoneText(create(SpecSchema))).toBe("UTC");
  });

  it("shows its own clock, with its offset", () => {
    expect(localText({ local: "2026-03-29T03:00:00+02:00" })).toBe("Sun 2026-03-29 03:00 +02:00");
    expect(localText({ local: "2026-03-30T02:30:15Z" })).toBe("Mon 2026-03-30 02:30:15 UTC");
    expect(localText({ local: "soon" })).toBe("soon");
    expect(mineText(Date.parse("2026-03-29T03:00:00+02:00"), "utc")).toBe("2026-03-29 01:00 UTC");
    expect(mineText(Date.parse("2026-03-29T03:00:05+02:00"), "utc")).toBe("2026-03-29 01:00:05 UTC");
  });

  it("names its rules", () => {
    expect(rulesText(create(SpecSchema))).toBe("catch-up latest · overlap allow");
    expect(rulesText(create(SpecSchema, { catchup: "all", overlap: "queue", maxRuns: 3n, pauseOnFailure: true }))).toBe(
      "catch-up all · overlap queue · at most 3 runs · pauses on failure",
    );
  });

  it("tells paused from ended", () => {
    expect(scheduleLook(create(ScheduleSchema, { paused: true })).label).toBe("Paused");
    expect(scheduleLook(create(ScheduleSchema)).label).toBe("Ended");
    expect(scheduleLook(create(ScheduleSchema, { next: [{ local: "x" }] })).label).toBe("Active");
  });
});
