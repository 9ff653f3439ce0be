import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { UsageGroupSchema } from "@/gen/signalbox/usage/v1/usage_pb";
import { barsOf, formatQuantity, quantityOf, rankOf } from "./meter";

const group = (key: string, quantity: bigint) =>
  create(UsageGroupSchema, { key, meters: [{ meter: "task_ms", quantity }] });
const groups = [group("2026-11-02", 50n), group("2026-11-03", 200n)];

describe("bars", () => {
  it("stand for every day, used or not", () =>
    expect(barsOf(["2026-11-01", "2026-11-02", "2026-11-03"], groups, "task_ms").map(({ share }) => share)).toEqual([
      0, 0.25, 1,
    ]));
  it("are flat without any usage", () =>
    expect(barsOf(["a"], [], "task_ms")).toEqual([{ key: "a", quantity: 0n, share: 0 }]));
  it("stay exact beyond doubles", () =>
    expect(
      barsOf(["a", "b"], [group("a", 2n ** 62n), group("b", 2n ** 61n)], "task_ms").map(({ share }) => share),
    ).toEqual([1, 0.5]));
});

describe("ranks", () => {
  it("put the largest first, and equals by name", () =>
    expect(
      rankOf([group("b", 1n), group("c", 2n), group("a", 1n)], "task_ms").map(({ key, share }) => [key, share]),
    ).toEqual([
      ["c", 0.5],
      ["a", 0.25],
      ["b", 0.25],
    ]));
});

describe("quantities", () => {
  it("are zero where there is none", () => expect(quantityOf([], "runs")).toBe(0n));
  it.each([
    ["task_ms", 5_400_000n, "1.5 h"],
    ["runs", 1n, "1 run"],
    ["task_attempts", 1576n, "1,576 attempts"],
    ["new_meter", 1000n, "1,000"],
  ])("of %s", (meter, quantity, text) => expect(formatQuantity(meter, quantity)).toBe(text));
});
