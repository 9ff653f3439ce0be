import { createRootRouteWithContext, Outlet } from "@tanstack/react-router";
import type { RouterContext } from "@/features/account/who";

export const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Outlet });
