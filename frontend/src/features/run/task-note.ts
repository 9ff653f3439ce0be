import type { GraphTask } from "@/features/graph/model";
import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import type { Task } from "@/gen/signalbox/run/v1/run_pb";
import { taskLook } from "./state";

/** noteOf is the short line of a task in the graph: its time, and its tries where there were more. */
export function noteOf(task: Task, now: number): string {
  const last = task.attempts.at(-1);
  const from = millis(last?.startedAt) ?? millis(last?.grantedAt);
  const took = from === undefined ? "" : formatDuration((millis(last?.finishedAt) ?? now) - from);
  const tries = task.attempts.length > 1 ? `try ${task.attempts.length}` : "";
  return [took, tries].filter(Boolean).join(" · ");
}

/** runGraph draws a run's tasks with their states. */
export function runGraph(tasks: readonly Task[], now: number): GraphTask[] {
  return tasks.map((task) => ({
    name: task.name,
    needs: task.needs,
    exit: task.exit,
    look: taskLook(task.state),
    note: noteOf(task, now),
  }));
}
