import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { splitLabel } from "@/format/labels";
import type { ListRunsRequestSchema } from "@/gen/signalbox/run/v1/run_pb";
import { listOf, oneOf, type Search, textOf } from "@/url/search";
import { runStates } from "./state";

/** How far back the list goes. */
export const windows = ["1h", "24h", "7d", "30d", "all"] as const;
export type Window = (typeof windows)[number];
export const defaultWindow: Window = "24h";

const HOUR = 3_600_000;
const windowMillis: Record<Exclude<Window, "all">, number> = {
  "1h": HOUR,
  "24h": 24 * HOUR,
  "7d": 7 * 24 * HOUR,
  "30d": 30 * 24 * HOUR,
};

export const windowNames: Record<Window, string> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  all: "All time",
};

/** RunFilter is the list's search in the URL; what is missing does not filter. */
export interface RunFilter {
  pipeline?: string;
  state?: string[];
  label?: string[];
  window?: Window;
}

/** readRunFilter keeps of a URL what the list understands. */
export function readRunFilter(search: Search): RunFilter {
  const state = listOf(search, "state").filter((each) => runStates.includes(each));
  const label = listOf(search, "label").filter((each) => splitLabel(each) !== undefined);
  return {
    pipeline: textOf(search, "pipeline"),
    state: state.length > 0 ? state : undefined,
    label: label.length > 0 ? label : undefined,
    window: oneOf(search, "window", windows),
  };
}

/** isFiltered tells an empty workspace from filters that leave nothing. */
export function isFiltered(filter: RunFilter): boolean {
  return Boolean(filter.pipeline || filter.state || filter.label || (filter.window && filter.window !== "all"));
}

/**
 * toRequest asks the server for what the filter shows. The start of the window
 * is cut to the minute, so that one list is one entry of the cache.
 */
export function toRequest(filter: RunFilter, now: number): MessageInitShape<typeof ListRunsRequestSchema> {
  const window = filter.window ?? defaultWindow;
  const since = window === "all" ? undefined : Math.floor((now - windowMillis[window]) / 60_000) * 60_000;
  return {
    pipeline: filter.pipeline ?? "",
    states: filter.state ?? [],
    labels: filter.label ?? [],
    since: since === undefined ? undefined : timestampFromMs(since),
  };
}

/** toCommand is the same list on the command line. */
export function toCommand(filter: RunFilter): string {
  const words = ["signalbox run list"];
  if (filter.pipeline) words.push(`--pipeline ${filter.pipeline}`);
  for (const state of filter.state ?? []) words.push(`--state ${state}`);
  for (const label of filter.label ?? []) words.push(`--label ${label}`);
  const window = filter.window ?? defaultWindow;
  if (window !== "all") words.push(`--since ${window}`);
  return words.join(" ");
}
