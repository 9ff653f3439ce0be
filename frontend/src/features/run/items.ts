import type { Items, Task } from "@/gen/signalbox/run/v1/run_pb";

/** hasItems asks whether other tasks are part of a task. */
export function hasItems(task: Pick<Task, "items">): boolean {
  return task.items !== undefined;
}

/** progressOf says how far a map, a loop or a group is: `37/40, 2 failed`. */
export function progressOf(task: Pick<Task, "kind" | "items" | "state">): string {
  const { items } = task;
  if (!items) return "";
  return [lead(task, items), ...counts(items)].join(", ");
}

function lead({ kind, state }: Pick<Task, "kind" | "state">, { done, total, most }: Items): string {
  if (kind !== "loop") return `${done}/${total}`;
  return state === "expanding" ? `pass ${total} of at most ${most}` : `${total} ${total === 1 ? "pass" : "passes"}`;
}

function counts({ failed, tolerated, reused, skipped, canceled }: Items): string[] {
  const words: [number, string][] = [
    [failed, "failed"],
    [tolerated, "tolerated"],
    [reused, "reused"],
    [skipped, "skipped"],
    [canceled, "canceled"],
  ];
  return words.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
}
