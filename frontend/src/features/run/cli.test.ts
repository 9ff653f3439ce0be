import { describe, expect, it } from "vitest";
import { quote, startCommand } from "./cli";

describe("quote", () => {
  it.each([
    ["plain-1.0", "plain-1.0"],
    ["", "''"],
    ["two words", "'two words'"],
    ["it's $HOME", `'it'\\''s $HOME'`],
    ["lr=0.1", "lr=0.1"],
  ])("%s", (word, quoted) => expect(quote(word)).toBe(quoted));
});

it("starts the same run", () =>
  expect(
    startCommand({
      pipeline: "digits",
      version: "a".repeat(64),
      params: [
        ["lr", "0.1"],
        ["note", "a b"],
        ["who", "@ada"],
      ],
      labels: [["team", "risk"]],
    }),
  ).toBe(
    "signalbox run start digits --version aaaaaaaaaaaa --param lr=0.1 --param 'note=a b' --param who=@@ada --label team=risk",
  ));
