import { createRoute, Outlet, redirect } from "@tanstack/react-router";
import { ensureWho } from "@/features/account/who";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { hasReason } from "@/rpc/fault";
import { rootRoute } from "./root";

/** Everything below needs somebody who is signed in. */
export const inRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "in",
  beforeLoad: async ({ context, location }) => {
    try {
      return { who: await ensureWho(context) };
    } catch (error) {
      if (!hasReason(error, Reason.UNAUTHENTICATED)) throw error;
      throw redirect({ to: "/sign-in", search: { next: location.href === "/" ? undefined : location.href } });
    }
  },
  component: Outlet,
});
