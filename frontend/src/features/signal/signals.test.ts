import { expect, it } from "vitest";
import { parsePlan } from "@/features/pipeline/plan";
import { signalsOf } from "./signals";

it("lists each signal of a plan once, with all that wait for it", () => {
  const tasks = [
    { name: "train", run: "true" },
    { name: "labels", signal: { name: "ready", type: "uri" } },
    { name: "go", signal: { name: "go" } },
    { name: "more", signal: { name: "ready", type: "uri" } },
  ];
  const plan = parsePlan(new TextEncoder().encode(JSON.stringify({ name: "p", tasks })));
  expect(signalsOf(plan)).toEqual([
    { name: "ready", type: "uri", tasks: ["labels", "more"] },
    { name: "go", type: "", tasks: ["go"] },
  ]);
});
