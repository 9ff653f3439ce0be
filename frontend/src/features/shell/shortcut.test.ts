import { describe, expect, it } from "vitest";
import { match } from "./shortcut";

const shortcut = (keys: string) => ({ keys, what: keys, run: () => undefined });
const all = ["g r", "g p", "?", "r"].map(shortcut);

describe("match", () => {
  it("runs a single key", () => expect(match(all, "", "?").hit?.keys).toBe("?"));
  it("waits for the second of a pair", () => expect(match(all, "", "g")).toEqual({ wait: "g" }));
  it("runs a pair, not its second key alone", () => expect(match(all, "g", "r").hit?.keys).toBe("g r"));
  it("falls back to the key alone after a wrong pair", () => expect(match(all, "g", "?").hit?.keys).toBe("?"));
  it("forgets unknown keys", () => expect(match(all, "g", "x")).toEqual({ wait: "" }));
});
