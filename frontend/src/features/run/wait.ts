import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import type { Task } from "@/gen/signalbox/run/v1/run_pb";
import { isTaskTerminal } from "./state";

/**
 * whyWaiting says in one sentence why a task does not run; undefined while it
 * runs or when it has ended.
 */
export function whyWaiting(task: Task, tasks: readonly Task[], now: number): string | undefined {
  if (task.state === "ready")
    return task.reason ? `Queued in ${task.pool}: ${task.reason}.` : `Queued in the pool ${task.pool}.`;
  if (task.state === "backoff") {
    const at = millis(task.retryAt);
    const when = at === undefined ? "soon" : at <= now ? "now" : `in ${formatDuration(at - now)}`;
    return `Tries again ${when}${task.reason ? `, after ${task.reason}` : ""}.`;
  }
  if (task.state !== "pending") return undefined;
  if (task.exit)
    return `Runs when the run has ended${task.exit === "always" ? "" : `, if it ${outcomes[task.exit] ?? task.exit}`}.`;
  const open = tasks
    .filter(({ name, state }) => task.needs.includes(name) && !isTaskTerminal(state))
    .map(({ name }) => name);
  if (open.length === 0) return undefined;
  return `Waits for ${list(open)}.`;
}

const outcomes: Record<string, string> = { succeeded: "succeeds", failed: "fails", canceled: "is canceled" };
const MOST = 4;

function list(names: string[]): string {
  if (names.length > MOST) return `${names.slice(0, MOST).join(", ")} and ${names.length - MOST} more`;
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : (names[0] ?? "");
}
