import { describe, expect, it } from "vitest";
import { formatBytes, formatCores } from "./bytes";
import { plural } from "./count";
import { formatDuration, formatHours } from "./duration";
import { formatCents, formatNano } from "./money";
import { addMonths, daysOf, isMonth, monthName } from "./month";
import { formatAbsolute, formatRelative, millis } from "./time";

describe("formatDuration", () => {
  it.each([
    [-5, "0s"],
    [0, "0s"],
    [0.4, "0ms"],
    [420, "420ms"],
    [1000, "1s"],
    [6390, "6.3s"],
    [9999, "9.9s"],
    [10_000, "10s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [133_000, "2m 13s"],
    [3_599_999, "59m 59s"],
    [3_840_000, "1h 4m"],
    [86_400_000, "1d"],
    [266_400_000, "3d 2h"],
    [Number.NaN, "0s"],
  ])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it("bills in hours", () => {
    expect(formatHours(0n)).toBe("0 h");
    expect(formatHours(1_800_000n)).toBe("30m");
    expect(formatHours(5_400_000n)).toBe("1.5 h");
    expect(formatHours(45_296_000n)).toBe("12.58 h");
    expect(formatHours(4_000_000_000)).toBe("1,111.1 h");
  });
});

describe("money", () => {
  it.each([
    [0n, "$0.00"],
    [7n, "$0.07"],
    [-7n, "−$0.07"],
    [123_450n, "$1,234.50"],
    [9_007_199_254_740_993n, "$90,071,992,547,409.93"],
  ])("%d cents is %s", (cents, text) => expect(formatCents(cents)).toBe(text));

  it.each([
    [0n, "$0.00"],
    [6667n, "$0.000007"],
    [400n, "<$0.000001"],
    [2_400_000_000n, "$2.40"],
    [2_412_345_678n, "$2.412346"],
    [-999_999_999n, "−$1.00"],
  ])("%d nano-dollars is %s", (nano, text) => expect(formatNano(nano)).toBe(text));

  it("names currencies without a symbol", () => expect(formatCents(100n, "chf")).toBe("1.00 CHF"));
});

describe("sizes and counts", () => {
  it.each([
    [812, "812 B"],
    [1536, "1.5 KiB"],
    [64 * 2 ** 30, "64 GiB"],
    [123.4 * 2 ** 20, "123 MiB"],
  ])("%d bytes is %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
  it("counts cores", () => expect(formatCores(500n)).toBe("0.5 CPU"));
  it("knows one from many", () => expect([plural(1, "run"), plural(1204n, "run")]).toEqual(["1 run", "1,204 runs"]));
});

describe("time", () => {
  const at = Date.UTC(2026, 10, 20, 14, 2, 10);
  it.each([
    [at + 2000, "just now"],
    [at + 12_000, "12s ago"],
    [at + 5 * 60_000, "5m ago"],
    [at + 3 * 3_600_000, "3h ago"],
    [at + 4 * 86_400_000, "4d ago"],
    [at + 90 * 86_400_000, "2026-11-20"],
    [at - 3 * 3_600_000, "in 3h"],
  ])("seen from %d it was %s", (now, text) => expect(formatRelative(at, now)).toBe(text));
  it("is absolute in UTC", () => expect(formatAbsolute(at, "utc")).toBe("2026-11-20 14:02:10 UTC"));
  it("reads wire timestamps", () => {
    expect(millis(undefined)).toBeUndefined();
    expect(millis({ $typeName: "google.protobuf.Timestamp", seconds: 2n, nanos: 999_999_999 })).toBe(2999);
  });
});

describe("months", () => {
  it("counts over the year", () =>
    expect([addMonths("2026-01", -1), addMonths("2026-12", 1)]).toEqual(["2025-12", "2027-01"]));
  it("has its days", () => {
    expect(daysOf("2026-02")).toHaveLength(28);
    expect(daysOf("2026-11").at(-1)).toBe("2026-11-30");
  });
  it("reads", () => expect(monthName("2026-11")).toBe("November 2026"));
  it("is checked", () => expect(["2026-11", "2026-13", "x"].map(isMonth)).toEqual([true, false, false]));
});
