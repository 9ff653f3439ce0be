import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { TaskGraphProps } from "./task-graph";

const Loaded = lazy(() => import("./task-graph").then(({ TaskGraph }) => ({ default: TaskGraph })));

/** LazyGraph brings the graph's code when there is a graph to draw. */
export function LazyGraph(props: TaskGraphProps) {
  return (
    <Suspense fallback={<Skeleton height={280} radius={0} role="status" aria-label="Loading the graph" />}>
      <Loaded {...props} />
    </Suspense>
  );
}
