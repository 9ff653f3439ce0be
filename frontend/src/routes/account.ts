import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import { inRoute } from "./in";
import { warm } from "./warm";

export const accountRoute = createRoute({
  getParentRoute: () => inRoute,
  path: "account",
  loader: ({ context }) => warm(context, {}, AccountService.method.listSessions, {}),
  component: lazyRouteComponent(() => import("./account.page"), "AccountPage"),
});

/** Make an organization, or join one that invites. */
export const newOrgRoute = createRoute({
  getParentRoute: () => inRoute,
  path: "new",
  component: lazyRouteComponent(() => import("./new-org.page"), "NewOrgPage"),
});
