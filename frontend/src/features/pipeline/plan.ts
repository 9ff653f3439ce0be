import type { Look } from "@/components/ui/state-mark";
import type { GraphTask } from "@/features/graph/model";
import { formatBytes, formatCores } from "@/format/bytes";

/** PlanParam is a declared input of a run (proto/plan.Param). */
export interface PlanParam {
  name: string;
  type: string;
  open: boolean;
  required: boolean;
  default?: unknown;
  hasSealedDefault: boolean;
  min?: unknown;
  max?: unknown;
  enum: string[];
  description: string;
}

/** PlanTask is what the app shows of a task before it runs (proto/plan.Task). */
export interface PlanTask {
  name: string;
  needs: string[];
  exit: string;
  pool: string;
  rule: string;
  command: string;
  resources: string;
  /** What it waits for, of tasks that wait for a signal; no type: it carries nothing. */
  signal: { name: string; type: string } | undefined;
}

/** Plan is a compiled version, as far as the app needs it. */
export interface Plan {
  name: string;
  pool: string;
  labels: Record<string, string>;
  params: PlanParam[];
  tasks: PlanTask[];
}

/** parsePlan reads plan bytes; it shows what it understands and never fails on what is new. */
export function parsePlan(bytes: Uint8Array): Plan {
  const root = object(JSON.parse(new TextDecoder().decode(bytes)));
  const raw = list(root.tasks).map(object);
  const names = raw.map(({ name }) => text(name));
  return {
    name: text(root.name),
    pool: text(root.pool),
    labels: Object.fromEntries(Object.entries(object(root.labels)).map(([key, value]) => [key, text(value)])),
    params: list(root.params).map(object).map(parseParam),
    tasks: raw.map((task) => ({
      name: text(task.name),
      needs: list(task.needs)
        .map((i) => names[Number(i)] ?? "")
        .filter(Boolean),
      exit: text(task.exit),
      pool: text(task.pool),
      rule: text(task.rule),
      command: text(task.run) || list(task.command).map(text).join(" "),
      resources: resourcesOf(object(task.resources)),
      signal: signalOf(object(task.signal)),
    })),
  };
}

function signalOf(signal: Record<string, unknown>): PlanTask["signal"] {
  const name = text(signal.name);
  return name === "" ? undefined : { name, type: text(signal.type) };
}

function parseParam(param: Record<string, unknown>): PlanParam {
  return {
    name: text(param.name),
    type: text(param.type),
    open: param.open === true,
    required: param.required === true,
    default: param.default,
    hasSealedDefault: text(param.sealed_default) !== "",
    min: param.min,
    max: param.max,
    enum: list(param.enum).map(text),
    description: text(param.description),
  };
}

function resourcesOf(resources: Record<string, unknown>): string {
  const parts: string[] = [];
  if (resources.gpus) parts.push(`${resources.gpus} GPU ${list(resources.gpu_types).join("/")}`.trim());
  if (resources.cpu_millis) parts.push(formatCores(Number(resources.cpu_millis)));
  if (resources.memory_bytes) parts.push(formatBytes(Number(resources.memory_bytes)));
  return parts.join(" · ");
}

const exitLooks: Record<string, string> = {
  always: "At the end",
  succeeded: "After success",
  failed: "After a failure",
  canceled: "After a cancel",
};

/** planGraph draws a plan: tasks that have no state yet. */
export function planGraph(plan: Plan): GraphTask[] {
  return plan.tasks.map((task) => {
    const look: Look = task.exit
      ? { label: exitLooks[task.exit] ?? task.exit, tone: "quiet", icon: "bell" }
      : { label: task.pool, tone: "neutral", icon: "terminal" };
    return { name: task.name, needs: task.needs, exit: task.exit, look, note: task.resources };
  });
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
