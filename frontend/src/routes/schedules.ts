import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { ScheduleService } from "@/gen/signalbox/schedule/v1/schedule_pb";
import { workspaceRoute } from "./org";
import { warm } from "./warm";

export const schedulesRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "schedules",
  loader: ({ context, params }) => warm(context, params, ScheduleService.method.listSchedules, {}),
  component: lazyRouteComponent(() => import("./schedules.page"), "SchedulesPage"),
});
