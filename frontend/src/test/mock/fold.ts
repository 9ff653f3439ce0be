import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Attempt, AttemptSchema, type Run, RunSchema, type Task, TaskSchema } from "@/gen/signalbox/run/v1/run_pb";
import { mockId } from "./random";

// A run of the mock is a script with times. What a reader sees is the script
// folded to a moment, so a live run needs no timer and no state.

export interface AttemptScript {
  /** Milliseconds after the task became ready. */
  queued: number;
  starting: number;
  running: number;
  end: "succeeded" | "failed" | "lost" | "timed_out" | "skipped";
  reason?: string;
  exitCode?: number;
  /** Until the next attempt is ready. */
  backoff?: number;
}

export interface TaskScript {
  name: string;
  needs: number[];
  pool: string;
  exit: string;
  attempts: AttemptScript[];
}

export interface RunScript {
  id: string;
  org: string;
  ws: string;
  pipeline: string;
  version: string;
  number: number;
  actor: string;
  cause: string;
  labels: Record<string, string>;
  createdAt: number;
  tasks: TaskScript[];
  canceledAt?: number;
  paused?: "paused" | "suspended";
  generation?: number;
}

interface Folded {
  run: Run;
  tasks: Task[];
}

const at = (ms: number | undefined, now: number) => (ms !== undefined && ms <= now ? timestampFromMs(ms) : undefined);

/** fold shows a run as it stood at a moment. */
export function fold(script: RunScript, now: number): Folded {
  const started = script.createdAt + 12;
  const ends: (number | undefined)[] = [];
  const tasks: Task[] = [];
  const main = script.tasks.filter(({ exit }) => exit === "");
  for (const task of main) {
    const folded = foldTask(script, task, ready(task, tasks, ends, started), now);
    tasks.push(folded.task);
    ends.push(folded.end);
  }
  const mainEnd = ends.every((end) => end !== undefined)
    ? Math.max(started, ...ends.map((end) => end ?? 0))
    : undefined;
  const outcome = mainEnd === undefined ? "" : outcomeOf(script, tasks, now);
  let end = mainEnd;
  for (const task of script.tasks.filter(({ exit }) => exit !== "")) {
    const wanted = outcome !== "" && (task.exit === "always" || task.exit === outcome);
    const from = wanted ? mainEnd : outcome === "" ? undefined : "skip";
    const folded = foldTask({ ...script, canceledAt: undefined }, task, from, now);
    tasks.push(folded.task);
    end = end === undefined || folded.end === undefined ? undefined : Math.max(end, folded.end);
  }
  return { run: foldRun(script, tasks, started, outcome, end, now), tasks };
}

type Ready = number | undefined | "skip" | "upstream_failed" | "upstream_skipped";

function ready(task: TaskScript, tasks: Task[], ends: (number | undefined)[], started: number): Ready {
  const states = task.needs.map((i) => tasks[i]?.state);
  if (states.some((state) => state === "failed" || state === "upstream_failed" || state === "canceled"))
    return "upstream_failed";
  if (states.some((state) => state === "skipped")) return "upstream_skipped";
  const needs = task.needs.map((i) => ends[i]);
  return needs.some((end) => end === undefined) ? undefined : Math.max(started, ...needs.map((end) => end ?? 0));
}

function foldTask(
  script: RunScript,
  task: TaskScript,
  from: Ready,
  now: number,
): { task: Task; end: number | undefined } {
  const base = {
    name: task.name,
    needs: task.needs.map((i) => script.tasks[i]?.name ?? ""),
    pool: task.pool,
    exit: task.exit,
  };
  const done = (state: string, reason = "") => ({
    task: create(TaskSchema, { ...base, state, reason }),
    end: script.createdAt,
  });
  if (from === "skip" || from === "upstream_skipped")
    return done("skipped", from === "skip" ? "its outcome did not come" : "upstream was skipped");
  if (from === "upstream_failed") return done("upstream_failed");
  const cancel = script.canceledAt;
  if (from === undefined || from > now) {
    return cancel !== undefined && cancel <= now
      ? done("canceled")
      : { task: create(TaskSchema, { ...base, state: "pending" }), end: undefined };
  }
  return foldAttempts(script, task, base, from, now);
}

function foldAttempts(
  script: RunScript,
  task: TaskScript,
  base: { name: string; needs: string[]; pool: string; exit: string },
  from: number,
  now: number,
): { task: Task; end: number | undefined } {
  const attempts: Attempt[] = [];
  const cancel = script.canceledAt ?? Number.POSITIVE_INFINITY;
  const show = (state: string, reason = "", end?: number, retryAt?: number) => ({
    task: create(TaskSchema, {
      ...base,
      state,
      reason,
      attempts,
      retryAt: retryAt === undefined ? undefined : timestampFromMs(retryAt),
    }),
    end,
  });
  let t = from;
  for (const [i, each] of task.attempts.entries()) {
    const granted = t + each.queued;
    const running = granted + each.starting;
    const finished = Math.min(running + each.running, Math.max(cancel + 1400, running));
    if (granted > cancel && cancel <= now) return show("canceled", "the run was canceled", cancel);
    if (now < granted) return show("ready", "agents full (12/12 slots)");
    const cut = cancel < running + each.running;
    const end = cut ? "canceled" : each.end;
    const state = now >= finished ? end : now >= running ? "running" : "starting";
    attempts.push(
      create(AttemptSchema, {
        number: i + 1,
        state,
        cause: now < finished ? "" : causes[end],
        reason: now >= finished ? (cut ? "the run was canceled" : (each.reason ?? "")) : "",
        exitCode: now >= finished ? (each.exitCode ?? 0) : 0,
        agentId: mockId("agt", task.pool === "cpu" ? 1 + (i % 2) : 3),
        agentName: task.pool === "cpu" ? `worker-${1 + ((i + task.name.length) % 2)}` : "gpu-node-a",
        readyAt: timestampFromMs(t),
        grantedAt: timestampFromMs(granted),
        startedAt: at(running, now),
        finishedAt: at(finished, now),
        billedMs: now >= finished && end !== "lost" ? BigInt(Math.round(finished - running)) : 0n,
        sealedError: now >= finished && end === "failed" ? new Uint8Array(180) : undefined,
        generation: script.generation ?? 1,
      }),
    );
    if (now < finished) return show("running");
    if (cut) return show("canceled", "the run was canceled", finished);
    if (each.end === "succeeded") return show("succeeded", "", finished);
    if (each.end === "skipped") return show("skipped", each.reason ?? "exit 77", finished);
    const retryAt = finished + (each.backoff ?? 0);
    if (i === task.attempts.length - 1) return show("failed", each.reason ?? "", finished);
    if (now < retryAt) return show("backoff", each.reason ?? "", undefined, retryAt);
    t = retryAt;
  }
  return show("pending");
}

const causes: Record<string, string> = {
  failed: "user",
  lost: "infra",
  timed_out: "timeout",
  canceled: "canceled",
  succeeded: "",
  skipped: "",
};

function outcomeOf(script: RunScript, tasks: Task[], now: number): string {
  if (script.canceledAt !== undefined && script.canceledAt <= now) return "canceled";
  return tasks.some(({ state }) => state === "failed" || state === "upstream_failed") ? "failed" : "succeeded";
}

function foldRun(
  script: RunScript,
  tasks: Task[],
  started: number,
  outcome: string,
  end: number | undefined,
  now: number,
): Run {
  const done = tasks.filter(({ state }) => !["pending", "ready", "running", "backoff"].includes(state));
  const canceling = script.canceledAt !== undefined && script.canceledAt <= now;
  const state =
    end !== undefined && end <= now
      ? outcome
      : outcome !== ""
        ? "finalizing"
        : canceling
          ? "canceling"
          : script.paused
            ? "paused"
            : "running";
  const failed = tasks.find((task) => task.state === "failed");
  return create(RunSchema, {
    id: script.id,
    pipeline: script.pipeline,
    version: script.version,
    number: BigInt(script.number),
    state,
    reason:
      state === "failed" && failed
        ? `${failed.name}: ${failed.reason}`
        : state === "paused" && script.paused === "suspended"
          ? "suspended"
          : "",
    outcome,
    cause: script.cause,
    actor: script.actor,
    labels: script.labels,
    generation: script.generation ?? 1,
    seq: BigInt(1 + tasks.reduce((sum, task) => sum + entriesOf(task), 0)),
    createdAt: timestampFromMs(script.createdAt),
    startedAt: timestampFromMs(started),
    finishedAt: end !== undefined && end <= now ? timestampFromMs(end) : undefined,
    tasksTotal: tasks.length,
    tasksDone: done.length,
    tasksFailed: tasks.filter((task) => task.state === "failed").length,
  });
}

/** entriesOf counts what the journal holds of a task: a start and an end for each try. */
function entriesOf({ attempts }: Task): number {
  return attempts.reduce((sum, { startedAt, finishedAt }) => sum + (startedAt ? 1 : 0) + (finishedAt ? 1 : 0), 0);
}
