import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { isMonth } from "@/format/month";
import { KeyService, MemberService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { textOf } from "@/url/search";
import { orgRoute } from "./org";
import { warm } from "./warm";

export interface UsageSearch {
  month?: string;
  /** `pipeline`, `pool`, `workspace` or `label:<key>`. */
  by?: string;
  /** The id of the invoice line that is open, and the run within it. */
  line?: string;
  run?: string;
}

export const usageRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage",
  validateSearch: (search): UsageSearch => {
    const month = textOf(search, "month");
    return {
      month: month && isMonth(month) ? month : undefined,
      by: textOf(search, "by"),
      line: textOf(search, "line"),
      run: textOf(search, "run"),
    };
  },
  component: lazyRouteComponent(() => import("./usage.page"), "UsagePage"),
});

export const membersRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "members",
  loader: ({ context, params: { org } }) => warm(context, { org }, MemberService.method.listMembers, {}),
  component: lazyRouteComponent(() => import("./members.page"), "MembersPage"),
});

export const keysRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "keys",
  loader: ({ context, params: { org } }) => warm(context, { org }, KeyService.method.listKeys, {}),
  component: lazyRouteComponent(() => import("./keys.page"), "KeysPage"),
});

export const auditRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "audit",
  component: lazyRouteComponent(() => import("./audit.page"), "AuditPage"),
});
