import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { textOf } from "@/url/search";
import { inRoute } from "./in";

/** The link of an invitation's mail; who is not signed in does that first. */
export const inviteRoute = createRoute({
  getParentRoute: () => inRoute,
  path: "invite",
  validateSearch: (search): { token?: string } => ({ token: textOf(search, "token") }),
  component: lazyRouteComponent(() => import("./invite.page"), "InvitePage"),
});
