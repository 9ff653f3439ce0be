import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import type { Explanation } from "@/gen/signalbox/run/v1/explain_pb";
import type { Run, Task } from "@/gen/signalbox/run/v1/run_pb";

const waitingStates = new Set(["pending", "ready", "backoff", "held", "expanding"]);

/** isWaiting asks whether a task may run yet and does not. */
export function isWaiting(task: Pick<Task, "state">): boolean {
  return waitingStates.has(task.state);
}

/** sentenceOf makes the server's text, which starts in lower case and has no end, a sentence. */
export function sentenceOf({ text }: Pick<Explanation, "text">): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

// What does not pass by itself: somebody has to do something about it.
const stuck = new Set([
  "organization_frozen",
  "organization_suspended",
  "pool_paused",
  "no_agent_online",
  "no_agent_matches",
]);

/** stuckOf picks the explanations that nothing but a person's doing will change. */
export function stuckOf(list: readonly Explanation[]): Explanation[] {
  return list.filter(({ reason, hint }) => stuck.has(reason) || (reason === "limit" && hint !== ""));
}

/** groupSame puts tasks together that wait for the same reason, in the order of the first. */
export function groupSame(list: readonly Explanation[]): { first: Explanation; tasks: string[] }[] {
  const groups = new Map<string, { first: Explanation; tasks: string[] }>();
  for (const each of list) {
    const group = groups.get(each.text) ?? { first: each, tasks: [] };
    group.tasks.push(each.task);
    groups.set(each.text, group);
  }
  return [...groups.values()];
}

/** whyPending says what a run waits for that has not begun; undefined for any other. */
export function whyPending(run: Pick<Run, "state" | "waiting" | "pipeline">, now: number): string | undefined {
  const { waiting } = run;
  if (run.state !== "pending" || !waiting) return undefined;
  switch (waiting.reason) {
    case "start_at": {
      const at = millis(waiting.startAt);
      if (at === undefined) return "It begins at a time that was asked for.";
      return at <= now ? "It begins now." : `It begins in ${formatDuration(at - now)}, as was asked for.`;
    }
    case "concurrency": {
      const others = waiting.concurrencyKey
        ? `Others with the concurrency key ${waiting.concurrencyKey} go first`
        : `Other runs of ${run.pipeline} go first`;
      return waiting.position > 0 ? `${others}: it is number ${waiting.position} in the queue.` : `${others}.`;
    }
    case "blocked_by":
      return "A run before it failed and holds the others up until it is retried with success, or unblocked.";
    case "pipeline_paused":
      return `The pipeline ${run.pipeline} is paused.`;
  }
  return sentenceOf({ text: waiting.reason });
}
