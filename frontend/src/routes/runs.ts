import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { readRunFilter } from "@/features/run/filter";
import { countOf, oneOf, textOf } from "@/url/search";
import { workspaceRoute } from "./org";

/** All filters of the list stand in the URL. */
export const runsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "runs",
  validateSearch: readRunFilter,
  component: lazyRouteComponent(() => import("./runs.page"), "RunsPage"),
});

export const runViews = ["graph", "timeline", "values", "waiting"] as const;
export const taskViews = ["items", "attempts", "logs", "values"] as const;

/** What of a run is on the screen; a log line is the fragment, `#L120`. */
export interface RunSearch {
  view?: (typeof runViews)[number];
  task?: string;
  tab?: (typeof taskViews)[number];
  attempt?: number;
  /** The entry of the journal after which the run is shown; without it, as it stands. */
  at?: number;
}

export const runRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "runs/$runId",
  validateSearch: (search): RunSearch => ({
    view: oneOf(search, "view", runViews),
    task: textOf(search, "task"),
    tab: oneOf(search, "tab", taskViews),
    attempt: countOf(search, "attempt"),
    at: countOf(search, "at"),
  }),
  component: lazyRouteComponent(() => import("./run.page"), "RunPage"),
});
