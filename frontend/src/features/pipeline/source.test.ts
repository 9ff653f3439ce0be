import { describe, expect, it } from "vitest";
import { around, diffLines } from "./diff";
import { tokenize } from "./yaml";

const roles = (line: string) => tokenize(line).map(({ role, text }) => `${role}:${text}`);

describe("tokenize", () => {
  it.each([
    ["name: digits", ["key:name", "plain:: digits"]],
    [
      "  lr: {type: float, default: 0.1}  # why",
      [
        "plain:  ",
        "key:lr",
        "plain:: ",
        "mark:{",
        "key:type",
        "plain:: float",
        "mark:,",
        "plain: ",
        "key:default",
        "plain:: ",
        "number:0.1",
        "mark:}",
        "plain:  ",
        "comment:# why",
      ],
    ],
    ["run: 'a # b'", ["key:run", "plain:: ", "string:'a # b'"]],
    ['X: "${{ params.lr }}"', ["key:X", "plain:: ", 'string:"', "template:${{ params.lr }}", 'string:"']],
    ["uri: s3://lake/x", ["key:uri", "plain:: s3://lake/x"]],
  ])("%s", (line, expected) => expect(roles(line)).toEqual(expected));
  it("never loses a letter", () => {
    for (const line of [
      "",
      "  - {when: always, task: {run: 'rm -rf \"$X\"'}}",
      "a: [1, 2Gi, -3.5]",
      "weird ${{ 'x' ",
    ]) {
      expect(
        tokenize(line)
          .map(({ text }) => text)
          .join(""),
      ).toBe(line);
    }
  });
});

describe("diffLines", () => {
  const marks = (before: string, after: string) =>
    diffLines(before, after)
      .map(({ kind, text }) => ({ same: " ", removed: "-", added: "+" })[kind] + text)
      .join("\n");
  it("finds what was changed", () => expect(marks("a\nb\nc\n", "a\nB\nc\nd\n")).toBe(" a\n-b\n+B\n c\n+d"));
  it("finds nothing in equal texts", () =>
    expect(diffLines("a\nb", "a\nb").every(({ kind }) => kind === "same")).toBe(true));
  it("leaves out what is far from a change", () => {
    const before = Array.from({ length: 20 }, (_, i) => `line ${i}`).join("\n");
    const shown = around(diffLines(before, before.replace("line 10", "other")), 2);
    expect(shown.map((change) => change?.text ?? "…")).toEqual([
      "…",
      "line 8",
      "line 9",
      "line 10",
      "other",
      "line 11",
      "line 12",
      "…",
    ]);
  });
});
