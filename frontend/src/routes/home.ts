import { createRoute, redirect } from "@tanstack/react-router";
import { homeOrg } from "@/features/tenancy/last-place";
import { inRoute } from "./in";

/** `/` leads to where the reader works; who belongs nowhere makes an organization. */
export const homeRoute = createRoute({
  getParentRoute: () => inRoute,
  path: "/",
  beforeLoad: ({ context }) => {
    const org = homeOrg(context.who)?.organization?.slug;
    if (!org || context.who.invitations.length > 0) throw redirect({ to: "/new" });
    throw redirect({ to: "/o/$org", params: { org } });
  },
});
