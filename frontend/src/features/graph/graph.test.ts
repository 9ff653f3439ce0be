import { describe, expect, it } from "vitest";
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
