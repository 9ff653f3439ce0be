import type { Tone } from "@/components/ui/tone";
import { taskLook } from "@/features/run/state";
import { millis } from "@/format/time";
import type { Attempt, Task } from "@/gen/signalbox/run/v1/run_pb";

/**
 * Kind is what went on in a stretch of an attempt. Only `running` is billed; the
 * others are waiting, and should be seen. `parts` is of a map, a loop or a group:
 * from the first start of what is part of it to the last end.
 */
export type Kind = "queued" | "starting" | "running" | "backoff" | "parts";

export interface Segment {
  kind: Kind;
  attempt: number;
  from: number;
  to: number;
  tone: Tone;
  /** It still grows. */
  open: boolean;
}

export interface Row {
  name: string;
  segments: Segment[];
}

export interface Timeline {
  rows: Row[];
  from: number;
  to: number;
}

/** timelineOf lays out a run's attempts between its creation and its end, or now. */
export function timelineOf(
  tasks: readonly Task[],
  created: number,
  finished: number | undefined,
  now: number,
): Timeline {
  const end = finished ?? now;
  const rows = tasks.map((task) => ({ name: task.name, segments: segmentsOf(task, end) }));
  const last = rows.flatMap(({ segments }) => segments.map(({ to }) => to));
  return { rows, from: created, to: Math.max(created + 1, end, ...(finished === undefined ? [] : last)) };
}

function segmentsOf(task: Task, end: number): Segment[] {
  const segments: Segment[] = [];
  for (const [i, attempt] of task.attempts.entries()) {
    const before = task.attempts[i - 1];
    const ended = millis(before?.finishedAt);
    const ready = millis(attempt.readyAt);
    if (ended !== undefined && ready !== undefined && ready > ended) {
      segments.push({ kind: "backoff", attempt: attempt.number, from: ended, to: ready, tone: "wait", open: false });
    }
    segments.push(...attemptSegments(attempt, end));
  }
  return [...segments, ...partsSegments(task, end)];
}

function partsSegments({ state, items }: Task, end: number): Segment[] {
  const from = millis(items?.firstStart);
  if (from === undefined) return [];
  const last = millis(items?.lastEnd);
  const to = last ?? Math.max(end, from);
  const { tone } = taskLook(state, true);
  return to > from ? [{ kind: "parts", attempt: 0, from, to, tone, open: last === undefined }] : [];
}

function attemptSegments(attempt: Attempt, end: number): Segment[] {
  const times: [Kind, number | undefined][] = [
    ["queued", millis(attempt.readyAt)],
    ["starting", millis(attempt.grantedAt)],
    ["running", millis(attempt.startedAt)],
  ];
  const known = times.filter((entry): entry is [Kind, number] => entry[1] !== undefined);
  const finished = millis(attempt.finishedAt);
  return known.flatMap(([kind, from], i) => {
    const next = known[i + 1]?.[1];
    const to = next ?? finished ?? Math.max(end, from);
    if (to <= from) return [];
    const open = next === undefined && finished === undefined;
    return [
      { kind, attempt: attempt.number, from, to, tone: kind === "running" ? toneOf(attempt.state) : "neutral", open },
    ];
  });
}

function toneOf(state: string): Tone {
  if (state === "succeeded") return "good";
  if (state === "failed" || state === "timed_out" || state === "refused") return "bad";
  if (state === "lost" || state === "preempted" || state === "rejected") return "odd";
  if (state === "canceled" || state === "skipped") return "quiet";
  return "run";
}

const SECOND = 1000;
const nice = [
  ...[5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400].map((s) => s * SECOND),
];

/** ticksOf picks round offsets from the start for the axis, at most `most` steps of it. */
export function ticksOf(span: number, most: number): number[] {
  const step = nice.find((each) => span / each <= most) ?? Math.ceil(span / most / 86_400_000) * 86_400_000;
  const ticks: number[] = [];
  for (let at = 0; at <= span; at += step) ticks.push(at);
  return ticks;
}

/** totals sums what a task spent in each kind. */
export function totals(segments: readonly Segment[]): Record<Kind, number> {
  const sum: Record<Kind, number> = { queued: 0, starting: 0, running: 0, backoff: 0, parts: 0 };
  for (const { kind, from, to } of segments) sum[kind] += to - from;
  return sum;
}
