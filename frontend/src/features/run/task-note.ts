import type { GraphTask } from "@/features/graph/model";
import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import type { Task } from "@/gen/signalbox/run/v1/run_pb";
import { progressOf } from "./items";
import { taskLook } from "./state";

/** noteOf is the short line of a task in the graph: its time, and its tries where there were more. */
export function noteOf(task: Task, now: number): string {
  const last = task.attempts.at(-1);
  const from = millis(last?.startedAt) ?? millis(last?.grantedAt);
  const took = from === undefined ? "" : formatDuration((millis(last?.finishedAt) ?? now) - from);
  const tries = task.attempts.length > 1 ? `try ${task.attempts.length}` : "";
  return [took, tries].filter(Boolean).join(" · ");
}

/**
 * runGraph draws a run's tasks with their states: the tasks of groups in boxes,
 * maps and loops as one station each.
 */
export function runGraph(tasks: readonly Task[], now: number): { tasks: GraphTask[]; boxes: GraphTask[] } {
  const inside = new Map<string, Task[]>();
  for (const task of tasks) inside.set(task.parent, [...(inside.get(task.parent) ?? []), task]);
  const groups = tasks.filter((task) => task.kind === "group" && inside.has(task.name));
  const boxed = new Map(groups.map((task) => [task.name, task]));
  const drawn = tasks.filter((task) => !boxed.has(task.name) && isShown(task, tasks));
  // A track to or from a group is one to its first tasks, or from its last ones.
  const ends = (name: string): string[] => {
    const members = inside.get(name);
    if (!boxed.has(name) || !members) return [name];
    const needed = new Set(members.flatMap(({ needs }) => needs));
    return members.filter((member) => !needed.has(member.name)).flatMap((member) => ends(member.name));
  };
  const needsOf = (task: Task): string[] => {
    const group = boxed.get(task.parent);
    return task.needs.length === 0 && group ? needsOf(group) : task.needs.flatMap(ends);
  };
  const draw = (task: Task): GraphTask => ({
    name: task.name,
    needs: [...new Set(needsOf(task))],
    exit: task.exit,
    look: taskLook(task.state, task.items !== undefined),
    note: progressOf(task) || noteOf(task, now),
    ...(boxed.has(task.parent) ? { box: task.parent } : {}),
    ...(task.items ? { progress: { done: task.items.done, failed: task.items.failed, total: task.items.total } } : {}),
  });
  return { tasks: drawn.map(draw), boxes: groups.map(draw) };
}

/** What is part of a map or a loop is in their tables. */
function isShown(task: Task, tasks: readonly Task[]): boolean {
  if (task.parent === "") return true;
  const parent = tasks.find(({ name }) => name === task.parent);
  return parent?.kind === "group" && isShown(parent, tasks);
}

/** drawnAs is the station at which a task is in the graph: itself, or the nearest that it is part of. */
export function drawnAs(path: string | undefined, drawn: ReadonlySet<string>): string | undefined {
  for (let at = path ?? ""; at !== ""; at = partOf(at)) if (drawn.has(at)) return at;
  return undefined;
}

/** By its path alone: fold[3]/train is of fold[3], and that of fold. */
function partOf(path: string): string {
  return path.endsWith("]") ? path.slice(0, path.lastIndexOf("[")) : path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
