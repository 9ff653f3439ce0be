import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { workspaceRoute } from "./org";
import { warm } from "./warm";

export const poolsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "pools",
  loader: ({ context, params }) => warm(context, params, PoolService.method.listPools, {}),
  component: lazyRouteComponent(() => import("./pools.page"), "PoolsPage"),
});

export const poolRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "pools/$name",
  loader: ({ context, params: { org, ws, name } }) => warm(context, { org, ws }, PoolService.method.getPool, { name }),
  component: lazyRouteComponent(() => import("./pool.page"), "PoolPage"),
});
