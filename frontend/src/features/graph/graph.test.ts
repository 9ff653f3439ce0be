import { describe, expect, it } from "vitest";
import type { Tone } from "@/components/ui/tone";
import { collapse, groupsOf } from "./groups";
import { layout, NODE_HEIGHT, NODE_WIDTH } from "./layout";
import { type GraphTask, related, shapeOf, signatureOf } from "./model";

const look = { label: "Pending", tone: "neutral", icon: "circleDashed" } as const;
const task = (name: string, needs: string[] = [], exit = ""): GraphTask => ({ name, needs, exit, look, note: "" });
const digits = [
  task("prepare"),
  task("svm", ["prepare"]),
  task("forest", ["prepare"]),
  task("evaluate", ["svm", "forest"]),
  task("clean", [], "always"),
];

describe("layout", () => {
  const placed = new Map(layout(shapeOf(digits)).nodes.map((node) => [node.name, node]));
  const x = (name: string) => placed.get(name)?.x ?? Number.NaN;

  it("goes from left to right", () => {
    expect(x("prepare")).toBeLessThan(x("svm"));
    expect(x("svm")).toBe(x("forest"));
    expect(x("svm")).toBeLessThan(x("evaluate"));
  });
  it("puts exit handlers below everything", () => {
    const { exitY, height } = layout(shapeOf(digits));
    expect(exitY).toBe(placed.get("clean")?.y);
    expect(exitY).toBeGreaterThan(Math.max(...["svm", "forest"].map((name) => placed.get(name)?.y ?? 0)) + NODE_HEIGHT);
    expect(height).toBe((exitY ?? 0) + NODE_HEIGHT);
  });
  it("lets no two tasks overlap, however many there are", () => {
    const wide = [
      task("root"),
      ...Array.from({ length: 120 }, (_, i) => task(`t${i}`, ["root"])),
      task("x", [], "failed"),
    ];
    const { nodes } = layout(shapeOf(wide));
    for (const [i, a] of nodes.entries()) {
      for (const b of nodes.slice(i + 1)) {
        const apart = Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT;
        expect(apart, `${a.name} and ${b.name}`).toBe(true);
      }
    }
  });
  it("keeps to its rules for a thousand tasks, at once", () => {
    const many = Array.from({ length: 1000 }, (_, i) =>
      task(`t${i}`, i === 0 ? [] : [`t${Math.max(0, i - 1 - ((i * 7) % 25))}`]),
    );
    const before = performance.now();
    const { nodes } = layout(shapeOf([...many, task("clean", [], "always")]));
    expect(performance.now() - before).toBeLessThan(500);
    const at = new Map(nodes.map((node) => [node.name, node]));
    for (const { name, needs } of many)
      for (const need of needs) expect(at.get(need)?.x).toBeLessThan(at.get(name)?.x ?? 0);
    expect(new Set(nodes.map(({ x, y }) => `${x},${y}`)).size).toBe(1001);
  });
  it("draws a plan of exit handlers alone, and one of nothing", () => {
    expect(layout(shapeOf([task("clean", [], "always")])).nodes).toHaveLength(1);
    expect(layout(shapeOf([])).nodes).toEqual([]);
  });
});

describe("shape", () => {
  it("does not change with states", () => {
    const later = digits.map((each) => ({ ...each, look: { ...look, label: "Running" }, note: "3s" }));
    expect(signatureOf(shapeOf(later))).toBe(signatureOf(shapeOf(digits)));
  });
  it("drops edges to nowhere", () => expect(shapeOf([task("a", ["gone"])]).edges).toEqual([]));
  it("knows a task's route", () => {
    expect([...related(shapeOf(digits), "svm")].sort()).toEqual(["evaluate", "prepare", "svm"]);
    expect([...related(shapeOf(digits), "clean")]).toEqual(["clean"]);
  });
});

describe("groups", () => {
  const states = (i: number): Tone => (i < 3 ? "good" : i < 4 ? "bad" : "run");
  const fan = [
    task("list"),
    ...Array.from({ length: 12 }, (_, i) => ({ ...task(`embed-${i}`, ["list"]), look: { ...look, tone: states(i) } })),
    task(
      "merge",
      Array.from({ length: 12 }, (_, i) => `embed-${i}`),
    ),
    task("clean", [], "always"),
  ];
  it("draw a wide fan as one", () => {
    const drawn = collapse(fan, groupsOf(fan), new Set());
    expect(drawn.map(({ name }) => name)).toEqual(["list", "embed-*", "merge", "clean"]);
    expect(drawn[1]).toMatchObject({
      needs: ["list"],
      members: 12,
      note: "4/12 done, 1 failed",
      look: { tone: "bad" },
    });
    expect(drawn[2]?.needs).toEqual(["embed-*"]);
  });
  it("open", () => expect(collapse(fan, groupsOf(fan), new Set(["embed-*"]))).toHaveLength(fan.length));
  it("leave few tasks apart", () => expect(groupsOf(digits)).toEqual([]));
  it("never lose a task of another place", () => {
    const odd = [...fan, task("embed-x", ["list"])];
    expect(collapse(odd, groupsOf(odd), new Set()).map(({ name }) => name)).toContain("embed-x");
  });
});
