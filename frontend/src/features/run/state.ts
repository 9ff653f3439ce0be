import type { Look } from "@/components/ui/state-mark";
import type { Run, Task } from "@/gen/signalbox/run/v1/run_pb";

// The states of model.md §2 and §3, and how each looks. A state that a newer
// server sends and this page does not know is shown by its name.

const runLooks: Record<string, Look> = {
  pending: { label: "Pending", tone: "wait", icon: "clock" },
  running: { label: "Running", tone: "run", icon: "loader", moving: true },
  paused: { label: "Paused", tone: "wait", icon: "pause" },
  canceling: { label: "Canceling", tone: "odd", icon: "stop" },
  finalizing: { label: "Finalizing", tone: "run", icon: "loader", moving: true },
  succeeded: { label: "Succeeded", tone: "good", icon: "circleCheck" },
  failed: { label: "Failed", tone: "bad", icon: "circleX" },
  canceled: { label: "Canceled", tone: "quiet", icon: "ban" },
  dropped: { label: "Dropped", tone: "quiet", icon: "minus" },
};

const taskLooks: Record<string, Look> = {
  pending: { label: "Pending", tone: "neutral", icon: "circleDashed" },
  ready: { label: "Queued", tone: "wait", icon: "hourglass" },
  running: { label: "Running", tone: "run", icon: "loader", moving: true },
  backoff: { label: "Waiting to retry", tone: "wait", icon: "retry" },
  held: { label: "Waiting", tone: "wait", icon: "pause" },
  expanding: { label: "Expanding", tone: "run", icon: "loader", moving: true },
  succeeded: { label: "Succeeded", tone: "good", icon: "circleCheck" },
  cached: { label: "Cached", tone: "good", icon: "bolt" },
  reused: { label: "Reused", tone: "good", icon: "history" },
  failed: { label: "Failed", tone: "bad", icon: "circleX" },
  tolerated: { label: "Failed, tolerated", tone: "odd", icon: "warning" },
  skipped: { label: "Skipped", tone: "quiet", icon: "skip" },
  upstream_failed: { label: "Upstream failed", tone: "odd", icon: "unlink" },
  canceled: { label: "Canceled", tone: "quiet", icon: "ban" },
};

const attemptLooks: Record<string, Look> = {
  leased: { label: "Handed over", tone: "run", icon: "loader", moving: true },
  starting: { label: "Starting", tone: "run", icon: "loader", moving: true },
  running: { label: "Running", tone: "run", icon: "loader", moving: true },
  succeeded: { label: "Succeeded", tone: "good", icon: "circleCheck" },
  failed: { label: "Failed", tone: "bad", icon: "circleX" },
  timed_out: { label: "Timed out", tone: "bad", icon: "wait" },
  canceled: { label: "Canceled", tone: "quiet", icon: "ban" },
  lost: { label: "Lost", tone: "odd", icon: "agentOff" },
  preempted: { label: "Preempted", tone: "odd", icon: "bolt" },
  suspended: { label: "Suspended", tone: "quiet", icon: "pause" },
  rejected: { label: "Rejected by the agent", tone: "odd", icon: "shieldX" },
  refused: { label: "Refused by policy", tone: "bad", icon: "shieldX" },
  skipped: { label: "Skipped", tone: "quiet", icon: "skip" },
};

function unknown(state: string): Look {
  return { label: state === "" ? "Unknown" : state.replaceAll("_", " "), tone: "neutral", icon: "circleDashed" };
}

export function runLook(state: string): Look {
  return runLooks[state] ?? unknown(state);
}

/** lookOfRun tells a suspended run from one that is only paused. */
export function lookOfRun(run: Pick<Run, "state" | "reason">): Look {
  const look = runLook(run.state);
  return isSuspended(run) ? { ...look, label: "Suspended" } : look;
}

/** reasonOf is what is to be said of a run beside how it looks; empty where that says it all. */
export function reasonOf(run: Pick<Run, "state" | "reason">): string {
  return isSuspended(run) || run.reason === run.state ? "" : run.reason;
}

function isSuspended(run: Pick<Run, "state" | "reason">): boolean {
  return run.state === "paused" && run.reason === "suspended";
}

/** taskLook is how a task looks; one that has its items runs, though it has no attempt. */
export function taskLook(state: string, hasItems = false): Look {
  if (state === "expanding" && hasItems) return taskLooks.running ?? unknown(state);
  return taskLooks[state] ?? unknown(state);
}

export function attemptLook(state: string): Look {
  return attemptLooks[state] ?? unknown(state);
}

/** runStates lists what one may filter by, in the order of a run's life. */
export const runStates = Object.keys(runLooks);

const terminalRuns = new Set(["succeeded", "failed", "canceled", "dropped"]);

/** isTerminal asks whether a run of that state will change again by itself. */
export function isTerminal(state: string): boolean {
  return terminalRuns.has(state);
}

/** taskStates lists what one may filter by. */
export const taskStates = Object.keys(taskLooks);

const terminalTasks = new Set([
  "succeeded",
  "cached",
  "reused",
  "failed",
  "tolerated",
  "skipped",
  "upstream_failed",
  "canceled",
]);

export function isTaskTerminal(state: string): boolean {
  return terminalTasks.has(state);
}

/** needsNoAgent asks whether a task is there to wait for a time, a signal or people. */
export function needsNoAgent({ kind }: Pick<Task, "kind">): boolean {
  return kind === "wait" || kind === "signal" || kind === "approve";
}

type CancelRule = { allowed: true; force: boolean } | { allowed: false; why: string };

/** canCancel says whether a run may be canceled, or why not (model.md §2). */
export function canCancel(run: Pick<Run, "state">): CancelRule {
  if (isTerminal(run.state)) return { allowed: false, why: "The run has ended." };
  if (run.state === "finalizing" || run.state === "canceling") return { allowed: true, force: true };
  return { allowed: true, force: false };
}

/** canRetry says why a run cannot be retried; undefined when it can. */
export function whyNoRetry(run: Pick<Run, "state">): string | undefined {
  if (!isTerminal(run.state)) return "The run has not ended yet.";
  if (run.state === "succeeded") return "Nothing failed: use Run again.";
  return undefined;
}
