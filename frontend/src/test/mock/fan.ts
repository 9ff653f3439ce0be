import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { AttemptSchema, ItemsSchema, type Run, type Task, TaskSchema } from "@/gen/signalbox/run/v1/run_pb";
import { mockId } from "./random";

// A run whose tasks came into being: a map of forty with failures, a group, a
// loop, and a task that another run had done.

export const fanRun = mockId("run", 904);
const before = mockId("run", 901);

export interface Fan {
  /** What GetRun tells. */
  tasks: Task[];
  /** All of them. */
  all: Task[];
}

export function fanOf(run: Run, at: number): Fan {
  const task = (name: string, kind: string, state: string, more: object = {}) =>
    create(TaskSchema, { name, planTask: name, kind, state, pool: "gpu-eu", ...more });
  const ran = (seconds: number, state = "succeeded", reason = "") => [
    create(AttemptSchema, {
      number: 1,
      state,
      reason,
      cause: state === "failed" ? "user" : "",
      exitCode: state === "failed" ? 3 : 0,
      agentName: "gpu-node-a",
      readyAt: timestampFromMs(at),
      grantedAt: timestampFromMs(at + 800),
      startedAt: timestampFromMs(at + 1200),
      finishedAt: timestampFromMs(at + 1200 + seconds * 1000),
      billedMs: BigInt(seconds * 1000),
      generation: 1,
    }),
  ];
  const items = Array.from({ length: 40 }, (_, i) => {
    const base = { parent: "train", planTask: "train", item: i };
    if (i === 4 || i === 17) {
      const reason = "exit 3";
      return task(`train[${i}]`, "step", "failed", {
        ...base,
        reason,
        usedUser: 1,
        attempts: ran(9, "failed", reason),
      });
    }
    if (i < 8) return task(`train[${i}]`, "step", "reused", { ...base, originRunId: before });
    return task(`train[${i}]`, "step", "succeeded", { ...base, attempts: ran(12 + (i % 7)) });
  });
  const count = (more: object, from = 0, to = 0) =>
    create(ItemsSchema, {
      ...more,
      ...(to > 0 && {
        firstStart: timestampFromMs(at + 1200 + from * 1000),
        lastEnd: timestampFromMs(at + 1200 + to * 1000),
      }),
    });
  const pass = (i: number) =>
    task(`search[${i}]`, "step", "succeeded", { parent: "search", planTask: "search", item: i, attempts: ran(4 + i) });
  const passes = [pass(0), pass(1), pass(2)];
  const split = task("split", "step", "reused", { originRunId: before });
  const train = task("train", "map", "failed", {
    needs: ["split"],
    reason: "2 of 40 items failed",
    items: count({ total: 40, done: 40, succeeded: 31, failed: 2, reused: 7 }, 0, 18),
  });
  const rest = [
    task("search", "loop", "succeeded", {
      needs: ["split"],
      items: count({ total: 3, done: 3, succeeded: 3, most: 50 }, 0, 6),
    }),
    ...passes,
    task("publish", "group", "succeeded", {
      needs: ["search"],
      items: count({ total: 2, done: 2, succeeded: 2 }, 0, 5),
    }),
    task("publish/pack", "step", "succeeded", { parent: "publish", attempts: ran(3) }),
    task("publish/upload", "step", "succeeded", { parent: "publish", needs: ["publish/pack"], attempts: ran(5) }),
    task("register", "step", "upstream_failed", { needs: ["train", "publish"] }),
    task("announce", "step", "skipped", {
      needs: ["publish"],
      reason: "condition_false: search.auc (0.71) > 0.9",
    }),
  ];
  run.state = "failed";
  run.outcome = "failed";
  run.reason = "train failed";
  run.finishedAt = timestampFromMs(at + 60_000);
  run.tasksTotal = 6;
  run.tasksDone = 6;
  run.tasksFailed = 2;
  return { tasks: [split, train, ...rest], all: [split, train, ...items, ...rest] };
}
