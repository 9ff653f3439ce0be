import { describe, expect, it } from "vitest";
import { parseAnsi, stripAnsi } from "./ansi";
import { LineBook, parseRecord, RecordReader } from "./line";

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

describe("RecordReader", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const record = (text: string) => `${JSON.stringify({ offset: 0, time: "", stream: "stdout", text })}\n`;

  it("puts records together from any pieces", () => {
    const whole = bytes(record("größe ✓") + record("b"));
    for (let cut = 0; cut <= whole.length; cut++) {
      const reader = new RecordReader();
      const records = [...reader.push(whole.slice(0, cut)), ...reader.push(whole.slice(cut)), ...reader.end()];
      expect(records.map(({ text }) => text)).toEqual(["größe ✓", "b"]);
    }
  });
  it("gives the last record without its end", () => {
    const reader = new RecordReader();
    expect(reader.push(bytes('{"text":"a"}'))).toEqual([]);
    expect(reader.end()).toMatchObject([{ text: "a", stream: "stdout" }]);
  });
  it("shows what is no JSON", () => expect(parseRecord("boom")).toMatchObject({ text: "boom\n" }));
});

describe("LineBook", () => {
  const linesOf = (...pieces: [string, string][]) => {
    const book = new LineBook();
    for (const [stream, text] of pieces) book.add({ offset: 0, time: "", stream, text });
    return book.lines.map(({ stream, text }) => `${stream}: ${text}`);
  };
  it("cuts a piece into its lines", () => expect(linesOf(["out", "a\n\nb\n"])).toEqual(["out: a", "out: ", "out: b"]));
  it("goes on with a line that was not complete", () =>
    expect(linesOf(["out", "epoch 1"], ["out", "/10\nepoch 2"], ["out", "\n"])).toEqual([
      "out: epoch 1/10",
      "out: epoch 2",
    ]));
  it("keeps streams apart", () =>
    expect(linesOf(["out", "a"], ["err", "x\n"], ["out", "b\n"], ["err", "y"])).toEqual([
      "out: ab",
      "err: x",
      "err: y",
    ]));
  it("keeps only where a progress bar got to", () =>
    expect(linesOf(["out", "10%\r50%\r"], ["out", "100%\r"], ["out", "\n"])).toEqual(["out: 100%\r"]));
  it("makes a new object of a line that grows", () => {
    const book = new LineBook();
    book.add({ offset: 0, time: "", stream: "out", text: "a" });
    const [before] = book.lines;
    book.add({ offset: 1, time: "", stream: "out", text: "b" });
    expect(book.lines[0]).not.toBe(before);
  });
});
