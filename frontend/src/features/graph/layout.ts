import { layout as dagre, Graph } from "@dagrejs/dagre";
import { layered } from "./layered";
import type { Shape } from "./model";

export const NODE_WIDTH = 192;
export const NODE_HEIGHT = 54;
const RANK_GAP = 48;
const NODE_GAP = 16;
/** Between the tasks and the exit handlers, which hang on the run and not on a task. */
const EXIT_GAP = 64;

export interface Placed {
  name: string;
  x: number;
  y: number;
}

/** Box is what is drawn around the tasks of a group. */
export interface Box extends Placed {
  width: number;
  height: number;
}

export interface Layout {
  nodes: Placed[];
  boxes: Box[];
  width: number;
  height: number;
  /** Where the row of exit handlers starts; undefined without any. */
  exitY: number | undefined;
}

/** layout places tasks from left to right, and exit handlers in a row below all of them. */
export function layout(shape: Shape): Layout {
  const main = placeMain(shape);
  const right = Math.max(0, ...main.map(({ x }) => x + NODE_WIDTH));
  const bottom = Math.max(0, ...main.map(({ y }) => y + NODE_HEIGHT));
  const exits = shape.nodes.filter(({ exit }) => exit);
  const boxes = boxesOf(shape, main);
  if (exits.length === 0) return { nodes: main, boxes, width: right, height: bottom, exitY: undefined };
  const exitY = main.length > 0 ? bottom + EXIT_GAP : 0;
  const row = exits.map(({ name }, i) => ({ name, x: i * (NODE_WIDTH + NODE_GAP), y: exitY }));
  return {
    nodes: [...main, ...row],
    boxes,
    width: Math.max(right, exits.length * (NODE_WIDTH + NODE_GAP) - NODE_GAP),
    height: exitY + NODE_HEIGHT,
    exitY,
  };
}

/** Around the tasks of a group, and above them for its name. */
const BOX_PADDING = 10;
const BOX_HEAD = 24;

function boxesOf(shape: Shape, placed: readonly Placed[]): Box[] {
  const inside = new Map<string, string[]>();
  for (const { name, box } of shape.nodes) if (box) inside.set(box, [...(inside.get(box) ?? []), name]);
  return [...inside].map(([name, names]) => {
    const within = placed.filter((each) => names.includes(each.name));
    const x = Math.min(...within.map((each) => each.x)) - BOX_PADDING;
    const y = Math.min(...within.map((each) => each.y)) - BOX_HEAD;
    const right = Math.max(...within.map((each) => each.x)) + NODE_WIDTH + BOX_PADDING;
    const bottom = Math.max(...within.map((each) => each.y)) + NODE_HEIGHT + BOX_PADDING;
    return { name, x, y, width: right - x, height: bottom - y };
  });
}

/** Above this many tasks dagre keeps the page waiting. */
const LARGE = 250;

function placeMain(shape: Shape): Placed[] {
  const main = shape.nodes.filter(({ exit }) => !exit);
  return main.length > LARGE ? placeLarge({ ...shape, nodes: main }) : placeSmall(shape);
}

function placeLarge(shape: Shape): Placed[] {
  const known = new Set(shape.nodes.map(({ name }) => name));
  const edges = shape.edges.filter(({ from, to }) => known.has(from) && known.has(to));
  const cells = layered({ nodes: shape.nodes, edges });
  const top = Math.min(...cells.map(({ row }) => row));
  return cells.map(({ name, rank, row }) => ({
    name,
    x: rank * (NODE_WIDTH + RANK_GAP),
    y: (row - top) * (NODE_HEIGHT + NODE_GAP),
  }));
}

function placeSmall(shape: Shape): Placed[] {
  const graph = new Graph({ compound: true });
  graph.setGraph({ rankdir: "LR", ranksep: RANK_GAP, nodesep: NODE_GAP, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  const names = new Set(shape.nodes.filter(({ exit }) => !exit).map(({ name }) => name));
  for (const name of names) graph.setNode(name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { name, box, exit } of shape.nodes) {
    if (!box || exit) continue;
    const id = `\n${box}`; // no task's name
    if (!graph.hasNode(id)) graph.setNode(id, {});
    graph.setParent(name, id);
  }
  for (const { from, to } of shape.edges) if (names.has(from) && names.has(to)) graph.setEdge(from, to);
  if (names.size > 0) dagre(graph);
  return [...names].map((name) => {
    const { x = 0, y = 0 } = graph.node(name) ?? {};
    return { name, x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 };
  });
}
