import { describe, expect, it } from "vitest";
import { slugOf, slugProblem } from "@/features/tenancy/slug";
import { deviceOf } from "./device";
import { safeNext } from "./next";
import { passwordProblem } from "./password";

describe("where to go after signing in", () => {
  it.each([
    ["/o/acme/w/main/runs?state=failed", "/o/acme/w/main/runs?state=failed"],
    ["//evil.example/x", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    ["javascript:alert(1)", "/"],
    [undefined, "/"],
  ])("%s", (next, safe) => expect(safeNext(next)).toBe(safe));
});

describe("slugs", () => {
  it.each([
    ["Northwind Labs", "northwind-labs"],
    ["  Müller & Söhne AG ", "muller-sohne-ag"],
    ["***", ""],
    ["x".repeat(60), "x".repeat(40)],
  ])("of %s", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
    expect(slugProblem(slug)).toBeUndefined();
  });
  it.each(["A", "a--b", "-a", "a b"])("%s is none", (slug) => expect(slugProblem(slug)).toBeDefined());
});

it("wants passwords that are long, whatever is in them", () => {
  expect(passwordProblem("1234567")).toBe("At least 8 characters; 7 so far.");
  expect(passwordProblem("ääääääää")).toBeUndefined();
  expect(passwordProblem("x".repeat(129))).toBe("At most 128 characters.");
});

it.each([
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36", "Chrome on Linux"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1 Version/20.1 Safari/605.1",
    "Safari on iPhone",
  ],
  ["signalbox/0.4.0 go", "signalbox/0.4.0"],
  ["", "Unknown browser"],
])("knows %s", (agent, device) => expect(deviceOf(agent)).toBe(device));
