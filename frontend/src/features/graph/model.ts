import type { Look } from "@/components/ui/state-mark";

/** GraphTask is what the graph needs to know of a task, of a run or of a plan. */
export interface GraphTask {
  name: string;
  needs: readonly string[];
  /** Set on exit handlers: the outcome they wait for. */
  exit: string;
  look: Look;
  /** One short line under the name. */
  note: string;
  /** How many tasks this one stands for; undefined for a task of its own. */
  members?: number;
  /** The group in whose box it stands. */
  box?: string;
  /** How far its items are: a bar. */
  progress?: { done: number; failed: number; total: number };
}

export interface Shape {
  nodes: readonly { name: string; exit: boolean; box?: string | undefined }[];
  edges: readonly { from: string; to: string }[];
}

/** shapeOf is the part of a graph that its layout depends on. */
export function shapeOf(tasks: readonly GraphTask[]): Shape {
  const known = new Set(tasks.map(({ name }) => name));
  return {
    nodes: tasks.map(({ name, exit, box }) => ({ name, exit: exit !== "", box })),
    edges: tasks.flatMap(({ name, needs }) =>
      needs.filter((from) => known.has(from)).map((from) => ({ from, to: name })),
    ),
  };
}

/** signatureOf is equal for equal shapes: states change every second, the layout should not. */
export function signatureOf(shape: Shape): string {
  return JSON.stringify([
    shape.nodes.map(({ name, exit, box }) => [name, exit, box]),
    shape.edges.map(({ from, to }) => [from, to]),
  ]);
}

/**
 * related lists a task with all it hangs on and all that hangs on it, so that a
 * selected task's route can stand out.
 */
export function related(shape: Shape, name: string): Set<string> {
  const found = new Set([name]);
  const walk = (next: (at: string) => string[]) => {
    const queue = [name];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const each of next(at)) {
        if (found.has(each)) continue;
        found.add(each);
        queue.push(each);
      }
    }
  };
  const up = index(shape.edges, "to", "from");
  const down = index(shape.edges, "from", "to");
  walk((at) => up.get(at) ?? []);
  walk((at) => down.get(at) ?? []);
  return found;
}

function index(edges: Shape["edges"], key: "from" | "to", value: "from" | "to"): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const edge of edges) map.set(edge[key], [...(map.get(edge[key]) ?? []), edge[value]]);
  return map;
}
