import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch } from "@/url/search";
import { isFiltered, readRunFilter, toCommand, toRequest } from "./filter";

const read = (url: string) => readRunFilter(parseSearch(url));

describe("filters in the URL", () => {
  it.each([
    "",
    "?pipeline=fraud-train",
    "?state=failed&state=running",
    "?label=team=risk&label=env=a:b/c&pipeline=digits&state=failed&window=7d",
    "?label=note=50%25+off",
  ])("survive a round trip: %s", (url) => expect(stringifySearch({ ...read(url) })).toBe(url));

  it("leaves out what it does not understand", () => {
    expect(read("?state=nonsense&label=novalue&window=9y&page=3")).toEqual(read(""));
  });
  it("takes each value once", () => expect(read("?state=failed&state=failed").state).toEqual(["failed"]));
  it("takes the last where only one fits", () => expect(read("?pipeline=a&pipeline=b").pipeline).toBe("b"));
});

describe("what is asked for", () => {
  const now = Date.UTC(2026, 10, 20, 14, 2, 10);
  it("is the last day, cut to the minute", () => {
    expect(toRequest({}, now).since).toMatchObject({ seconds: BigInt(Date.UTC(2026, 10, 19, 14, 2, 0) / 1000) });
    expect(toRequest({}, now + 20_000)).toEqual(toRequest({}, now));
  });
  it("is everything without a window", () => expect(toRequest({ window: "all" }, now).since).toBeUndefined());
  it("names states and labels", () =>
    expect(toRequest({ state: ["failed"], label: ["team=risk"] }, now)).toMatchObject({
      states: ["failed"],
      labels: ["team=risk"],
    }));
});

describe("the same elsewhere", () => {
  it("is a command", () =>
    expect(toCommand({ pipeline: "digits", state: ["failed"], label: ["team=risk"], window: "7d" })).toBe(
      "signalbox run list --pipeline digits --state failed --label team=risk --since 7d",
    ));
  it("knows whether it filters", () =>
    expect([isFiltered({}), isFiltered({ window: "all" }), isFiltered({ state: ["failed"] })]).toEqual([
      false,
      false,
      true,
    ]));
});
