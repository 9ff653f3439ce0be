import type { Piece } from "@/features/relay/stream";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { hasReason } from "@/rpc/fault";
import { untilVisible, whileVisible } from "@/rpc/visible";
import { SealError } from "@/seal";
import { LineBook, type LogLine, type LogRecord, RecordReader } from "./line";

/** TailState: `asked` is when an agent was chosen and nothing has come from it so far. */
export type TailState = "connecting" | "asked" | "live" | "reconnecting" | "ended" | "failed";

/** TailView is what the screen shows of a log. The list grows in place; `changes` counts how often. */
export interface TailView {
  state: TailState;
  lines: readonly LogLine[];
  count: number;
  changes: number;
  agent: string;
  error: unknown;
}

/** Open starts to read at a byte of the log. */
export type Open = (offset: number, signal: AbortSignal) => AsyncIterable<Piece>;

const WAIT_MS = 1500;
const MOST_TRIES = 5;

/**
 * LogTail reads a log for as long as somebody looks. A stream that was lost goes
 * on at the line where it broke; each line stands there once.
 */
export class LogTail {
  private readonly book = new LineBook();
  /** The offset of the last record that was read. */
  private last: number | undefined;
  private readonly listeners = new Set<() => void>();
  private view: TailView = {
    state: "connecting",
    lines: this.book.lines,
    count: 0,
    changes: 0,
    agent: "",
    error: undefined,
  };
  private stop: AbortController | undefined;

  constructor(
    private readonly open: Open,
    private readonly waitMs = WAIT_MS,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (!this.stop && this.view.state !== "ended") void this.follow();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.stop?.abort();
      this.stop = undefined;
    };
  };

  readonly snapshot = (): TailView => this.view;

  /** retry reads on after it failed. */
  readonly retry = (): void => {
    if (this.view.state !== "failed") return;
    this.show({ state: "reconnecting", error: undefined });
    void this.follow();
  };

  private async follow(): Promise<void> {
    const stop = new AbortController();
    this.stop = stop;
    for (let failures = 0; !stop.signal.aborted; ) {
      await untilVisible(stop.signal);
      const before = this.last;
      try {
        const end = await whileVisible(stop.signal, (signal) => this.read(signal));
        if (end.hidden) continue;
        return this.show({ state: "ended" });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures = this.last === before ? failures + 1 : 1;
        if (isFinal(error) || failures >= MOST_TRIES) return this.show({ state: "failed", error });
        this.show({ state: "reconnecting" });
        await new Promise((resolve) => setTimeout(resolve, this.waitMs));
      }
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const from = this.last;
    const reader = new RecordReader();
    // The record where it broke comes once more, so that nothing is left out.
    const take = (records: LogRecord[]) => {
      for (const record of records) {
        if (from !== undefined && record.offset <= from) continue;
        this.book.add(record);
        this.last = record.offset;
      }
    };
    for await (const piece of this.open(from ?? 0, signal)) {
      if (piece.kind === "payload") take(reader.push(piece.bytes));
      this.show(piece.kind === "opened" ? { state: "asked", agent: piece.agent } : { state: "live" });
    }
    take(reader.end());
  }

  private show(change: Partial<TailView>): void {
    this.view = { ...this.view, ...change, count: this.book.lines.length, changes: this.view.changes + 1 };
    for (const each of this.listeners) each();
  }
}

/** Asking again would not help. */
function isFinal(error: unknown): boolean {
  if (error instanceof SealError) return error.reason !== "truncated";
  return hasReason(
    error,
    Reason.NO_AGENT_ONLINE,
    Reason.DATA_GONE,
    Reason.NOT_FOUND,
    Reason.PERMISSION_DENIED,
    Reason.UNAUTHENTICATED,
  );
}
