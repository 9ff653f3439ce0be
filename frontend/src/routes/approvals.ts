import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { ApprovalService } from "@/gen/signalbox/run/v1/approval_pb";
import { workspaceRoute } from "./org";
import { warm } from "./warm";

export const approvalsRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "approvals",
  loader: ({ context, params }) => warm(context, params, ApprovalService.method.listApprovals, { pageSize: 200 }),
  component: lazyRouteComponent(() => import("./approvals.page"), "ApprovalsPage"),
});
