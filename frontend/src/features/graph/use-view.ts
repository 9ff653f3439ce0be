import { useElementSize } from "@mantine/hooks";
import type { Edge, Node, ReactFlowInstance, Viewport } from "@xyflow/react";
import { useEffect, useRef, useState } from "react";
import type { Layout } from "./layout";
import { READABLE, revealed, viewOf } from "./view";

/**
 * useView keeps the graph in sight when the space for it changes, as it does when
 * a task is opened beside it. Once the reader has moved it, it only keeps the
 * selected task in sight.
 */
export function useView<N extends Node>(placed: Layout, selected: string | undefined) {
  const { ref, width, height } = useElementSize();
  // It comes some time after the first rendering, and anew for another graph.
  const [flow, setFlow] = useState<ReactFlowInstance<N, Edge>>();
  const moved = useRef(false);
  const [small, setSmall] = useState(false);
  const show = () => {
    if (!flow || width === 0 || height === 0) return;
    const space = { width, height };
    const view = moved.current
      ? revealed(flow.getViewport(), placed, selected, space)
      : viewOf(placed, selected, space);
    setSmall(view.zoom < READABLE);
    void flow.setViewport(view);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another graph is looked at afresh.
  useEffect(() => {
    moved.current = false;
  }, [placed]);
  useEffect(show, [flow, width, height, placed, selected]);
  return {
    ref,
    small,
    onInit: setFlow,
    onZoom: () => {
      moved.current = true;
    },
    onFit: () => {
      moved.current = false;
      show();
    },
    onMove: (event: unknown, { zoom }: Viewport) => {
      if (event) moved.current = true;
      setSmall(zoom < READABLE);
    },
  };
}
