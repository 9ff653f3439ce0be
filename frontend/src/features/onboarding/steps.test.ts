import { describe, expect, it } from "vitest";
import { isComplete, stepsOf } from "./steps";

const nothing = { agentsOnline: 0, agentsEver: 0, pipelines: 0, runs: 0, succeeded: false };
const marks = (progress: typeof nothing) =>
  stepsOf(progress)
    .map(({ done, current }) => (done ? "x" : current ? ">" : "."))
    .join("");

describe("the checklist", () => {
  it("starts with the agent", () => expect(marks(nothing)).toBe(">.."));
  it("goes on when the agent is there", () =>
    expect(marks({ ...nothing, agentsOnline: 1, agentsEver: 1 })).toBe("x>."));
  it("keeps a tick when the agent goes offline", () => expect(marks({ ...nothing, agentsEver: 1 })).toBe("x>."));
  it("does not mind another order", () => expect(marks({ ...nothing, pipelines: 1 })).toBe(">x."));
  it("is complete with all three", () => {
    expect(isComplete({ ...nothing, agentsEver: 1, pipelines: 1, runs: 1 })).toBe(true);
    expect(isComplete({ ...nothing, agentsEver: 1, pipelines: 1 })).toBe(false);
  });
});
