import { createRouter, type RouterHistory } from "@tanstack/react-router";
import { ErrorPage, NotFoundPage, PendingPage } from "@/routes/fallback.page";
import { routeTree } from "@/routes/tree";
import { makeQueryClient } from "@/rpc/query-client";
import type { Transports } from "@/rpc/transport";
import { parseSearch, stringifySearch } from "@/url/search";

/** makeRouter makes the app for one way to the server; tests bring their own. */
export function makeRouter(transports: Transports, history?: RouterHistory) {
  const queryClient = makeQueryClient(() => signedOut());
  const router = createRouter({
    routeTree,
    history,
    context: { queryClient, transports },
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingMs: 300,
    defaultPendingComponent: PendingPage,
    defaultErrorComponent: ErrorPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });
  const signedOut = () => {
    const here = router.state.location;
    const isPublic = !router.state.matches.some((match) => match.routeId.startsWith("/in"));
    if (isPublic) return;
    queryClient.clear();
    void router.navigate({ to: "/sign-in", search: { next: here.href } });
  };
  return router;
}

export type AppRouter = ReturnType<typeof makeRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}
