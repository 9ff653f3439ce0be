/** LogLine is one line as the agent kept it. */
export interface LogLine {
  /** Where the line starts in the log, in bytes. */
  offset: number;
  /** RFC 3339; empty where unknown. */
  time: string;
  stream: string;
  text: string;
}

/**
 * LineReader puts JSON lines together from pieces that end anywhere, even in the
 * middle of a letter.
 */
export class LineReader {
  private readonly decoder = new TextDecoder();
  private rest = "";

  /** push takes a piece and gives the lines that are complete now. */
  push(bytes: Uint8Array): LogLine[] {
    const parts = (this.rest + this.decoder.decode(bytes, { stream: true })).split("\n");
    this.rest = parts.pop() ?? "";
    return parts.filter((part) => part !== "").map(parseLine);
  }

  /** end gives what is left when no more comes. */
  end(): LogLine[] {
    const rest = this.rest + this.decoder.decode();
    this.rest = "";
    return rest === "" ? [] : [parseLine(rest)];
  }
}

/** parseLine reads one JSON line; what is none is shown as it is, never dropped. */
export function parseLine(json: string): LogLine {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && "text" in value) {
      const line = value as Partial<Record<keyof LogLine, unknown>>;
      return {
        offset: Number(line.offset ?? 0) || 0,
        time: typeof line.time === "string" ? line.time : "",
        stream: typeof line.stream === "string" ? line.stream : "stdout",
        text: String(line.text).replace(/\r?\n$/, ""),
      };
    }
  } catch {
    // Falls through: not JSON.
  }
  return { offset: 0, time: "", stream: "stdout", text: json };
}
