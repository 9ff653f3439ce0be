import { type Layout, NODE_HEIGHT, NODE_WIDTH } from "./layout";

/** View is what of a drawing is seen, as React Flow wants it. */
export interface View {
  x: number;
  y: number;
  zoom: number;
}

interface Size {
  width: number;
  height: number;
}

/** Below this zoom stations show their names only, larger. */
export const READABLE = 0.7;
/** Below this one even those cannot be read: a part is better than a speck. */
const LEAST = 0.36;
const MARGIN = 24;

/**
 * viewOf shows all of a drawing as large as there is space, but no larger than it
 * is drawn. What would be too small to read is shown around the selected station.
 */
export function viewOf(placed: Layout, selected: string | undefined, space: Size): View {
  const all = boundsOf(placed);
  const fits = Math.min((space.width - 2 * MARGIN) / all.width, (space.height - 2 * MARGIN) / all.height, 1);
  const zoom = fits >= LEAST ? fits : READABLE;
  const at = placed.nodes.find(({ name }) => name === selected);
  return {
    x: around(at && at.x + NODE_WIDTH / 2, all.x, all.width, space.width, zoom),
    y: around(at ? at.y + NODE_HEIGHT / 2 : all.y + all.height / 2, all.y, all.height, space.height, zoom),
    zoom,
  };
}

/** revealed moves a view that the reader chose no more than it takes to see the selected station. */
export function revealed(view: View, placed: Layout, selected: string | undefined, space: Size): View {
  const at = placed.nodes.find(({ name }) => name === selected);
  if (!at) return view;
  return {
    ...view,
    x: within(view.x, at.x * view.zoom, NODE_WIDTH * view.zoom, space.width),
    y: within(view.y, at.y * view.zoom, NODE_HEIGHT * view.zoom, space.height),
  };
}

function within(offset: number, start: number, size: number, space: number): number {
  return Math.max(MARGIN - start, Math.min(offset, space - MARGIN - size - start));
}

/**
 * around moves one dimension so that a point is in the middle of the space, as far
 * as that shows no emptiness beyond an end; what fits is in the middle itself.
 */
function around(point: number | undefined, from: number, size: number, space: number, zoom: number): number {
  const drawn = size * zoom;
  if (drawn + 2 * MARGIN <= space + 1) return (space - drawn) / 2 - from * zoom;
  const start = MARGIN - from * zoom;
  const end = space - drawn - MARGIN - from * zoom;
  return Math.min(start, Math.max(end, space / 2 - (point ?? from) * zoom));
}

/** boundsOf is around all stations, and the boxes of groups, which are larger than what is in them. */
function boundsOf({ boxes, width, height }: Layout): Size & { x: number; y: number } {
  const x = Math.min(0, ...boxes.map((box) => box.x));
  const y = Math.min(0, ...boxes.map((box) => box.y));
  const right = Math.max(width, 1, ...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(height, 1, ...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}
