/** LogRecord is a piece of output as the agent kept it: any number of lines, or a part of one. */
export interface LogRecord {
  /** Where the piece starts in the log, in bytes of the agent's file. */
  offset: number;
  /** RFC 3339; empty where unknown. */
  time: string;
  /** stdout, stderr, or agent: what the agent itself has to say. */
  stream: string;
  text: string;
}

/** LogLine is one line on the screen. */
export interface LogLine {
  time: string;
  stream: string;
  text: string;
}

/**
 * RecordReader puts JSON lines together from pieces that end anywhere, even in
 * the middle of a letter.
 */
export class RecordReader {
  private readonly decoder = new TextDecoder();
  private rest = "";

  /** push takes bytes and gives the records that are complete now. */
  push(bytes: Uint8Array): LogRecord[] {
    const parts = (this.rest + this.decoder.decode(bytes, { stream: true })).split("\n");
    this.rest = parts.pop() ?? "";
    return parts.filter((part) => part !== "").map(parseRecord);
  }

  /** end gives what is left when no more comes. */
  end(): LogRecord[] {
    const rest = this.rest + this.decoder.decode();
    this.rest = "";
    return rest === "" ? [] : [parseRecord(rest)];
  }
}

/** parseRecord reads one JSON line; what is none is shown as it is, never dropped. */
export function parseRecord(json: string): LogRecord {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && "text" in value) {
      const record = value as Partial<Record<keyof LogRecord, unknown>>;
      return {
        offset: Number(record.offset ?? 0) || 0,
        time: typeof record.time === "string" ? record.time : "",
        stream: typeof record.stream === "string" ? record.stream : "stdout",
        text: String(record.text),
      };
    }
  } catch {
    // Falls through: not JSON.
  }
  return { offset: 0, time: "", stream: "stdout", text: `${json}\n` };
}

/**
 * LineBook makes lines of records. A line that is not complete stays open until
 * its own stream goes on, whatever the other streams print meanwhile.
 */
export class LineBook {
  readonly lines: LogLine[] = [];
  private readonly open = new Map<string, number>();

  add({ time, stream, text }: LogRecord): void {
    const parts = text.split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
      this.write(time, stream, part);
      this.open.delete(stream);
    }
    if (rest !== "") this.write(time, stream, rest);
  }

  private write(time: string, stream: string, text: string): void {
    const at = this.open.get(stream);
    const before = at === undefined ? undefined : this.lines[at];
    if (at === undefined || !before) {
      this.open.set(stream, this.lines.length);
      this.lines.push({ time, stream, text: overwrite(text) });
    } else {
      // A new object, so that a row that was drawn sees the change.
      this.lines[at] = { ...before, text: overwrite(before.text + text) };
    }
  }
}

/** A progress bar returns to the start of its line for ever; only the last state is worth keeping. */
function overwrite(text: string): string {
  const at = text.lastIndexOf("\r", text.length - 2);
  return at < 0 ? text : text.slice(at + 1);
}
