import { describe, expect, it } from "vitest";
import { findLines, step } from "./find";
import { lineOfHash } from "./hash";

const lines = ["Loss 1", "ok", "\u001b[31mLOSS\u001b[0m 2"].map((text) => ({
  offset: 0,
  time: "",
  stream: "stdout",
  text,
}));

describe("finding", () => {
  it("ignores case and colours", () => expect(findLines(lines, "loss")).toEqual([0, 2]));
  it("finds nothing for nothing", () => expect(findLines(lines, "")).toEqual([]));
  it("goes around both ends", () => {
    expect([step([0, 2], undefined, 1), step([0, 2], 0, 1), step([0, 2], 2, 1)]).toEqual([0, 2, 0]);
    expect([step([0, 2], undefined, -1), step([0, 2], 0, -1), step([], 1, 1)]).toEqual([2, 2, undefined]);
  });
});

describe("permalinks", () => {
  it.each([
    ["L120", 120],
    ["#L1", 1],
    ["", undefined],
    ["L0", undefined],
    ["Lx", undefined],
  ])("%s", (hash, line) => expect(lineOfHash(hash)).toBe(line));
});
