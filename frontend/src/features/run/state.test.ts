import { describe, expect, it } from "vitest";
import {
  attemptLook,
  canCancel,
  isTerminal,
  lookOfRun,
  reasonOf,
  runLook,
  runStates,
  taskLook,
  whyNoRetry,
} from "./state";

describe("states", () => {
  it("shows every run state with a shape, a colour and a word of its own", () => {
    const looks = runStates.map(runLook);
    expect(new Set(looks.map(({ label }) => label)).size).toBe(runStates.length);
    expect(looks.every(({ icon, tone }) => icon && tone)).toBe(true);
  });
  it("tells a suspended run from a paused one, once", () => {
    const suspended = { state: "paused", reason: "suspended" };
    expect([lookOfRun(suspended).label, reasonOf(suspended)]).toEqual(["Suspended", ""]);
    const paused = { state: "paused", reason: "its budget" };
    expect([lookOfRun(paused).label, reasonOf(paused)]).toEqual(["Paused", "its budget"]);
  });
  it("names a state that it does not know", () => {
    expect(taskLook("quite_new").label).toBe("quite new");
    expect(attemptLook("").label).toBe("Unknown");
  });
  it("knows which runs have ended", () =>
    expect(runStates.filter(isTerminal)).toEqual(["succeeded", "failed", "canceled", "dropped"]));
});

describe("what may be done", () => {
  it("cancels what runs", () => expect(canCancel({ state: "running" })).toEqual({ allowed: true, force: false }));
  it("only forces what is ending", () =>
    expect(canCancel({ state: "finalizing" })).toEqual({ allowed: true, force: true }));
  it("cancels nothing that has ended", () => expect(canCancel({ state: "failed" })).toMatchObject({ allowed: false }));
  it.each([
    ["failed", undefined],
    ["canceled", undefined],
    ["running", "The run has not ended yet."],
    ["succeeded", "Nothing failed: use Run again."],
  ])("retry of a %s run: %s", (state, why) => expect(whyNoRetry({ state })).toBe(why));
});
