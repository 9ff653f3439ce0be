import { create } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectQueryKey, useQuery, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { GetRunResponseSchema, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { hasReason } from "@/rpc/fault";
import { untilVisible, whileVisible } from "@/rpc/visible";
import { isTerminal } from "./state";

/** LiveState says whether the page follows the run. */
export type LiveState = "connecting" | "live" | "reconnecting" | "ended";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** waitBefore is how long to wait before the n-th try in a row, spread so that a restart is no stampede. */
export function waitBefore(failures: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return full / 2 + (random * full) / 2;
}

function runKey(transport: Transport, id: string) {
  return createConnectQueryKey({ schema: RunService.method.getRun, input: { id }, transport, cardinality: "finite" });
}

/**
 * RunWatch writes a run's changes into the query cache for as long as somebody
 * looks. A lost stream is opened again: the server starts with the whole run,
 * so nothing is missed.
 */
export class RunWatch {
  private state: LiveState = "connecting";
  private readonly listeners = new Set<() => void>();
  private stop: AbortController | undefined;

  constructor(
    private readonly transport: Transport,
    private readonly cache: QueryClient,
    private readonly id: string,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (!this.stop) void this.follow();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.stop?.abort();
      this.stop = undefined;
    };
  };

  readonly snapshot = (): LiveState => this.state;

  private async follow(): Promise<void> {
    const stop = new AbortController();
    this.stop = stop;
    for (let failures = 0; !stop.signal.aborted; ) {
      await untilVisible(stop.signal);
      try {
        const read = (signal: AbortSignal) =>
          this.stream(signal, () => {
            failures = 0;
          });
        const end = await whileVisible(stop.signal, read);
        if (end.hidden) continue;
        if (end.result) return this.show("ended");
      } catch (error) {
        if (stop.signal.aborted) return;
        if (hasReason(error, Reason.NOT_FOUND, Reason.PERMISSION_DENIED, Reason.UNAUTHENTICATED))
          return this.show("ended");
      }
      failures += 1;
      this.show("reconnecting");
      await sleep(waitBefore(failures, Math.random()), stop.signal);
    }
  }

  /** stream follows until the server ends it; true when the run has ended. */
  private async stream(signal: AbortSignal, onMessage: () => void): Promise<boolean> {
    const key = runKey(this.transport, this.id);
    let terminal = false;
    for await (const { run, tasks } of createClient(RunService, this.transport).watchRun({ id: this.id }, { signal })) {
      this.cache.setQueryData(key, create(GetRunResponseSchema, { run, tasks }));
      terminal = isTerminal(run?.state ?? "");
      onMessage();
      this.show("live");
    }
    return terminal;
  }

  private show(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const each of this.listeners) each();
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const nothing = { subscribe: () => () => undefined, snapshot: (): LiveState => "ended" };

/** useRun is a run with its tasks, live until it has ended. */
export function useRun(id: string) {
  const transport = useTransport();
  const cache = useQueryClient();
  const query = useQuery(RunService.method.getRun, { id });
  const watched = query.data !== undefined && !isTerminal(query.data.run?.state ?? "");
  const watch = useMemo(
    () => (watched ? new RunWatch(transport, cache, id) : nothing),
    [watched, transport, cache, id],
  );
  const live = useSyncExternalStore(watch.subscribe, watch.snapshot);
  return { query, live };
}
