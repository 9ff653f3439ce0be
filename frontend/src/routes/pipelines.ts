import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import { oneOf, textOf } from "@/url/search";
import { workspaceRoute } from "./org";
import { warm } from "./warm";

export const pipelinesRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "pipelines",
  loader: ({ context, params }) => warm(context, params, PipelineService.method.listPipelines, {}),
  component: lazyRouteComponent(() => import("./pipelines.page"), "PipelinesPage"),
});

export const pipelineViews = ["graph", "source", "versions", "runs"] as const;

export interface PipelineSearch {
  view?: (typeof pipelineViews)[number];
  /** A digest; nothing means the deployed version. */
  version?: string;
  /** The form that starts a run is open, filled from this run. */
  start?: string;
}

export const pipelineRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "pipelines/$name",
  validateSearch: (search): PipelineSearch => ({
    view: oneOf(search, "view", pipelineViews),
    version: textOf(search, "version"),
    start: textOf(search, "start"),
  }),
  loader: ({ context, params: { org, ws, name } }) =>
    warm(context, { org, ws }, PipelineService.method.getPipeline, { name }),
  component: lazyRouteComponent(() => import("./pipeline.page"), "PipelinePage"),
});
