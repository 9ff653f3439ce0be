import { describe, expect, it } from "vitest";
import { parseAnsi, stripAnsi } from "./ansi";
import { LineReader, parseLine } from "./line";

const ESC = String.fromCharCode(27);

describe("parseAnsi", () => {
  it("leaves plain text alone", () => expect(parseAnsi("step 1")).toEqual([{ text: "step 1" }]));
  it("colours, and stops", () =>
    expect(parseAnsi(`a ${ESC}[32mok${ESC}[0m b`)).toEqual([{ text: "a " }, { text: "ok", color: 2 }, { text: " b" }]));
  it("mixes styles in one code", () =>
    expect(parseAnsi(`${ESC}[1;91mbad`)).toEqual([{ text: "bad", color: 9, bold: true }]));
  it("goes on after a reset in the same code", () =>
    expect(parseAnsi(`${ESC}[1mx${ESC}[0;33my`)).toEqual([
      { text: "x", bold: true },
      { text: "y", color: 3 },
    ]));
  it("drops cursor moves, titles and links", () =>
    expect(stripAnsi(`${ESC}[2K${ESC}[1Ga${ESC}]0;title\u0007b${ESC}]8;;http://x${ESC}\\c`)).toBe("abc"));
  it("reads palette colours without printing them", () =>
    expect(parseAnsi(`${ESC}[38;5;4mx${ESC}[38;2;1;2;3my`)).toEqual([{ text: "x", color: 4 }, { text: "y" }]));
  it("shows where a progress bar got to", () => expect(stripAnsi("10%\r50%\r100%\r")).toBe("100%"));
  it("never loses text to a cut code", () => expect(stripAnsi(`a${ESC}[3`)).toContain("a"));
});

describe("LineReader", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const line = (text: string) => `${JSON.stringify({ offset: 0, time: "", stream: "stdout", text })}\n`;

  it("puts lines together from any pieces", () => {
    const whole = bytes(line("größe ✓") + line("b"));
    for (let cut = 0; cut <= whole.length; cut++) {
      const reader = new LineReader();
      const lines = [...reader.push(whole.slice(0, cut)), ...reader.push(whole.slice(cut)), ...reader.end()];
      expect(lines.map(({ text }) => text)).toEqual(["größe ✓", "b"]);
    }
  });
  it("gives the last line without its end", () => {
    const reader = new LineReader();
    expect(reader.push(bytes('{"text":"a"}'))).toEqual([]);
    expect(reader.end()).toMatchObject([{ text: "a", stream: "stdout" }]);
  });
  it("shows what is no JSON", () => expect(parseLine("boom")).toMatchObject({ text: "boom" }));
});
