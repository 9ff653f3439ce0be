import { describe, expect, it } from "vitest";
import { parsePlan, planGraph } from "./plan";

const plan = parsePlan(
  new TextEncoder().encode(
    JSON.stringify({
      format: "signalbox.plan/v1",
      name: "digits",
      pool: "cpu",
      labels: { team: "vision" },
      params: [
        { name: "lr", type: "float", open: true, default: 0.1, min: 0 },
        { name: "key", type: "string", required: true },
      ],
      tasks: [
        { name: "prepare", command: ["python", "prepare.py"], pool: "cpu" },
        {
          name: "train",
          needs: [0],
          run: "python train.py",
          pool: "gpu",
          resources: { gpus: 1, gpu_types: ["a100"], memory_bytes: 2 ** 36 },
        },
        { name: "on-exit-1", exit: "failed", run: "page", pool: "cpu", some_new_key: 1 },
      ],
    }),
  ),
);

describe("parsePlan", () => {
  it("names what tasks need", () => expect(plan.tasks.map(({ needs }) => needs)).toEqual([[], ["prepare"], []]));
  it("shows commands and resources", () =>
    expect(plan.tasks.map(({ command, resources }) => [command, resources])).toEqual([
      ["python prepare.py", ""],
      ["python train.py", "1 GPU a100 · 64 GiB"],
      ["page", ""],
    ]));
  it("knows open params from sealed ones", () =>
    expect(plan.params.map(({ open, required }) => [open, required])).toEqual([
      [true, false],
      [false, true],
    ]));
  it("draws exit handlers apart", () =>
    expect(planGraph(plan).map(({ look }) => look.label)).toEqual(["cpu", "gpu", "After a failure"]));
});
