import { describe, expect, it } from "vitest";
import type { PlanParam } from "@/features/pipeline/plan";
import { parseParam, parseValue } from "./param";

const json = (type: string, text: string) => {
  const parsed = parseValue(type, text);
  return "json" in parsed ? parsed.json : `! ${parsed.problem}`;
};

describe("parseValue follows proto/plan", () => {
  it.each([
    ["string", " as it is ", '" as it is "'],
    ["string", "", '""'],
    ["int", " 7 ", "7"],
    ["int", "+07", "7"],
    ["int", "9223372036854775807", "9223372036854775807"],
    ["int", "9223372036854775808", "! A whole number of 64 bits."],
    ["int", "1.5", "! A whole number."],
    ["float", "1e-3", "0.001"],
    ["float", ".5", "0.5"],
    ["float", "-0", "0"],
    ["float", "1e999", "! The number is too large."],
    ["float", "NaN", "! A number, as in 0.1 or 1e-3."],
    ["bool", "True", "true"],
    ["bool", "yes", "! true or false."],
    ["uri", "s3://lake/x", '"s3://lake/x"'],
    ["uri", "lake/x", "! A URI with a scheme, as in s3://bucket/key."],
    ["duration", "1h30m", '"5400s"'],
    ["duration", "250ms", '"0.250s"'],
    ["duration", "1.5h", '"5400s"'],
    ["duration", "90", "! A duration needs a unit: ms, s, m, h or d, as in 90s or 1h30m."],
    ["bytes", "aGk=", '"aGk="'],
    ["bytes", "?", "! Bytes in base64."],
    ["json", '{"b": 1, "a": {"d": 1, "c": 2}}', '{"a":{"c":2,"d":1},"b":1}'],
    ["list<int>", "[1, 2]", "[1,2]"],
    ["list<string>", '["a", "b"]', '["a","b"]'],
    ["list<string>", "[1]", "! Item 0: not of type string."],
    ["list<int>", '["1"]', "! Item 0: not of type int."],
    [
      "list<int>",
      "[9007199254740993]",
      "! A whole number of more than 15 digits would lose some here; start the run from the command line.",
    ],
    ["list<float>", "1, 2", '! A JSON list, as in ["a", "b"].'],
  ])("%s %j", (type, text, expected) => expect(json(type, text)).toBe(expected));
});

describe("parseParam", () => {
  const param = (init: Partial<PlanParam>): PlanParam => ({
    name: "p",
    type: "int",
    open: false,
    required: false,
    hasSealedDefault: false,
    enum: [],
    description: "",
    ...init,
  });
  it("keeps to the bounds", () => {
    expect(parseParam(param({ min: 1 }), "0")).toEqual({ problem: "At least 1." });
    expect(parseParam(param({ type: "float", max: 0.5 }), "0.6")).toEqual({ problem: "At most 0.5." });
    expect(parseParam(param({ type: "duration", max: "60s" }), "2m")).toEqual({ problem: "At most 60s." });
    expect(parseParam(param({ min: 1, max: 500 }), "500")).toEqual({ json: "500" });
  });
  it("keeps to the choices", () => {
    const colour = param({ type: "string", enum: ["red", "blue"] });
    expect(parseParam(colour, "green")).toEqual({ problem: "One of red, blue." });
    expect(parseParam(colour, "red")).toEqual({ json: '"red"' });
  });
  it("refuses what is too large", () =>
    expect(parseParam(param({ type: "string" }), "x".repeat(70_000))).toHaveProperty("problem"));
});
