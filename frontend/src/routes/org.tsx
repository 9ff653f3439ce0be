import { TransportProvider } from "@connectrpc/connect-query";
import { createRoute, getRouteApi, lazyRouteComponent, notFound, Outlet, redirect } from "@tanstack/react-router";
import { Shell } from "@/features/shell/shell";
import { homeWorkspace, rememberPlace } from "@/features/tenancy/last-place";
import { findMembership, findWorkspace } from "@/features/tenancy/place";
import { inRoute } from "./in";

/** An organization: its shell, and calls that name it. */
export const orgRoute = createRoute({
  getParentRoute: () => inRoute,
  path: "o/$org",
  beforeLoad: ({ context, params }) => {
    const membership = findMembership(context.who, params.org);
    if (!membership) throw notFound();
    return { membership };
  },
  component: OrgLayout,
});

const orgApi = getRouteApi("/in/o/$org");

function OrgLayout() {
  const { org } = orgApi.useParams();
  const { transports } = orgApi.useRouteContext();
  return (
    <TransportProvider transport={transports.at({ org })}>
      <Shell>
        <Outlet />
      </Shell>
    </TransportProvider>
  );
}

/** `/o/acme` leads to the workspace where the reader was last. */
export const orgHomeRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "/",
  beforeLoad: ({ context, params }) => {
    const ws = homeWorkspace(context.membership);
    if (!ws) throw redirect({ to: "/o/$org/members", params });
    throw redirect({ to: "/o/$org/w/$ws", params: { ...params, ws } });
  },
});

/** A workspace: calls that name it too. */
export const workspaceRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "w/$ws",
  beforeLoad: ({ context, params }) => {
    if (!findWorkspace(context.membership, params.ws)) throw notFound();
    rememberPlace(params);
  },
  component: WorkspaceLayout,
});

const workspaceApi = getRouteApi("/in/o/$org/w/$ws");

function WorkspaceLayout() {
  const { org, ws } = workspaceApi.useParams();
  const { transports } = workspaceApi.useRouteContext();
  return (
    <TransportProvider transport={transports.at({ org, ws })}>
      <Outlet />
    </TransportProvider>
  );
}

export const overviewRoute = createRoute({
  getParentRoute: () => workspaceRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./overview.page"), "OverviewPage"),
});
