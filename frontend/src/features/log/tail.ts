import type { Piece } from "@/features/relay/stream";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { hasReason } from "@/rpc/fault";
import { SealError } from "@/seal";
import { LineReader, type LogLine } from "./line";

export type TailState = "connecting" | "live" | "reconnecting" | "ended" | "failed";

/** TailView is what the screen shows of a log; lines only ever grow, so their count says what is new. */
export interface TailView {
  state: TailState;
  lines: readonly LogLine[];
  count: number;
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
  private readonly lines: LogLine[] = [];
  private readonly listeners = new Set<() => void>();
  private view: TailView = { state: "connecting", lines: this.lines, count: 0, agent: "", error: undefined };
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
      const before = this.lines.length;
      try {
        await this.read(stop.signal);
        return this.show({ state: "ended" });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures = this.lines.length > before ? 1 : failures + 1;
        if (isFinal(error) || failures >= MOST_TRIES) return this.show({ state: "failed", error });
        this.show({ state: "reconnecting" });
        await new Promise((resolve) => setTimeout(resolve, this.waitMs));
      }
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const last = this.lines.at(-1);
    const reader = new LineReader();
    // The line where it broke comes once more, so that nothing is left out.
    const take = (lines: LogLine[]) => {
      for (const line of lines) if (!last || line.offset > last.offset) this.lines.push(line);
    };
    for await (const piece of this.open(last?.offset ?? 0, signal)) {
      if (piece.kind === "payload") take(reader.push(piece.bytes));
      this.show(piece.kind === "opened" ? { state: "live", agent: piece.agent } : { state: "live" });
    }
    take(reader.end());
  }

  private show(change: Partial<TailView>): void {
    this.view = { ...this.view, ...change, count: this.lines.length };
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
