import type { Plan } from "@/features/pipeline/plan";

/** Signal is what one may send to a run. */
export interface Signal {
  name: string;
  /** Of the payload; empty: it carries none. */
  type: string;
  /** The tasks of the plan that wait for it. */
  tasks: string[];
}

/** signalsOf lists the signals that a plan's tasks wait for, in its order. */
export function signalsOf(plan: Plan): Signal[] {
  const known = new Map<string, Signal>();
  for (const { name: task, signal } of plan.tasks) {
    if (!signal) continue;
    const same = known.get(signal.name);
    if (same) same.tasks.push(task);
    else known.set(signal.name, { ...signal, tasks: [task] });
  }
  return [...known.values()];
}
