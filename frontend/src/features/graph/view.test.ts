import { describe, expect, it } from "vitest";
import { type Layout, NODE_HEIGHT, NODE_WIDTH } from "./layout";
import { revealed, type View, viewOf } from "./view";

/** line is a drawing of so many stations in a row. */
function line(stations: number): Layout {
  const step = NODE_WIDTH + 48;
  const nodes = Array.from({ length: stations }, (_, i) => ({ name: `${i}`, x: i * step, y: 0 }));
  return { nodes, boxes: [], width: stations * step - 48, height: NODE_HEIGHT, exitY: undefined };
}

const seen = ({ x, zoom }: View, from: number, width: number, space: number) =>
  x + from * zoom >= 0 && x + (from + width) * zoom <= space;

describe("viewOf", () => {
  const space = { width: 560, height: 300 };

  it("never draws larger than it is, and puts what fits in the middle", () => {
    expect(viewOf(line(1), undefined, space)).toEqual({
      x: (560 - NODE_WIDTH) / 2,
      y: (300 - NODE_HEIGHT) / 2,
      zoom: 1,
    });
  });

  it.each([undefined, "0", "3", "5"])("shows all of what can be read, with %s selected", (selected) => {
    const placed = line(6);
    expect(seen(viewOf(placed, selected, space), 0, placed.width, space.width)).toBe(true);
  });

  it.each([0, 7, 13])("shows station %i of many, and no emptiness beyond the ends", (i) => {
    const placed = line(14);
    const view = viewOf(placed, `${i}`, space);
    expect(view.zoom).toBe(0.7);
    expect(seen(view, placed.nodes[i]?.x ?? Number.NaN, NODE_WIDTH, space.width)).toBe(true);
    expect(view.x).toBeLessThanOrEqual(24);
    expect(view.x + placed.width * view.zoom).toBeGreaterThanOrEqual(space.width - 24);
  });

  it("has room for the boxes around groups", () => {
    const placed = { ...line(2), boxes: [{ name: "g", x: -10, y: -24, width: 460, height: 98 }] };
    const view = viewOf(placed, undefined, { width: 460, height: 130 });
    expect(seen(view, -10, 460, 460)).toBe(true);
    expect(view.y - 24 * view.zoom).toBeGreaterThanOrEqual(24);
  });
});

describe("revealed", () => {
  const space = { width: 560, height: 300 };

  it("leaves a view alone in which the station is seen", () => {
    const view = { x: -100, y: 30, zoom: 0.9 };
    expect(revealed(view, line(6), "1", space)).toEqual(view);
    expect(revealed(view, line(6), undefined, space)).toEqual(view);
  });

  it("moves as little as it takes, at the same size", () => {
    const right = revealed({ x: 0, y: 30, zoom: 1 }, line(6), "4", space);
    expect(right).toEqual({ x: 560 - 24 - (4 * 240 + NODE_WIDTH), y: 30, zoom: 1 });
    expect(revealed({ x: -900, y: 30, zoom: 1 }, line(6), "0", space)).toEqual({ x: 24, y: 30, zoom: 1 });
  });
});
