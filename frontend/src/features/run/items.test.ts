import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ItemsSchema, TaskSchema } from "@/gen/signalbox/run/v1/run_pb";
import { progressOf } from "./items";
import { runGraph } from "./task-note";

const task = (name: string, kind: string, more: object = {}) =>
  create(TaskSchema, { name, kind, state: "expanding", ...more });
const items = (more: object) => create(ItemsSchema, { total: 40, ...more });

describe("progress", () => {
  it("counts what has ended, and names what is not well", () => {
    expect(progressOf(task("train", "map", { items: items({ done: 37, failed: 2, reused: 8 }) }))).toBe(
      "37/40, 2 failed, 8 reused",
    );
    expect(progressOf(task("search", "loop", { items: items({ total: 3, most: 50 }) }))).toBe("pass 3 of at most 50");
    expect(progressOf(task("search", "loop", { state: "succeeded", items: items({ total: 1 }) }))).toBe("1 pass");
    expect(progressOf(task("a", "step"))).toBe("");
  });
});

describe("the graph of a run", () => {
  it("draws groups as boxes, and maps and loops as one station", () => {
    const { tasks, boxes } = runGraph(
      [
        task("split", "step"),
        task("pack", "group", { needs: ["split"], items: items({ total: 2 }) }),
        task("pack/up", "step", { parent: "pack" }),
        task("pack/tell", "step", { parent: "pack", needs: ["pack/up"] }),
        task("search", "loop", { items: items({ total: 1 }) }),
        task("search[0]", "step", { parent: "search" }),
        task("last", "step", { needs: ["pack", "search"] }),
      ],
      0,
    );
    expect(boxes.map(({ name }) => name)).toEqual(["pack"]);
    expect(tasks.map(({ name, needs, box }) => [name, needs, box])).toEqual([
      ["split", [], undefined],
      ["pack/up", ["split"], "pack"],
      ["pack/tell", ["pack/up"], "pack"],
      ["search", [], undefined],
      ["last", ["pack/tell", "search"], undefined],
    ]);
    expect(tasks[3]?.progress?.total).toBe(1);
  });
});
