import { type ConnectRouter, createRouterTransport } from "@connectrpc/connect";
import type { MakeTransport } from "@/rpc/transport";
import { accountRoutes } from "./account";
import { approvalRoutes } from "./approvals";
import { historyRoutes } from "./history";
import { organizationRoutes } from "./organization";
import { pipelineRoutes } from "./pipelines";
import { poolRoutes } from "./pools";
import { relayRoutes } from "./relay";
import { runRoutes } from "./runs";
import { scheduleRoutes } from "./schedules";
import { usageRoutes } from "./usage";
import { makeMockKey } from "./workspace-key";
import { makeWorld, scenarioOf, type World } from "./world";

/** mockServices answers every call from one world. */
export function mockServices(world: World): (router: ConnectRouter) => void {
  return (router) => {
    accountRoutes(router, world);
    organizationRoutes(router, world);
    runRoutes(router, world);
    approvalRoutes(router, world);
    historyRoutes(router, world);
    pipelineRoutes(router, world);
    poolRoutes(router, world);
    scheduleRoutes(router, world);
    usageRoutes(router, world);
    relayRoutes(router, world);
  };
}

/** makeMockTransport is the server of `npm run dev:mock`: `?mock=fresh` picks a scenario. */
export async function makeMockTransport(): Promise<MakeTransport> {
  await makeMockKey();
  const world = makeWorld(scenarioOf(new URL(window.location.href)), Date.now());
  const services = mockServices(world);
  return (interceptors) => createRouterTransport(services, { transport: { interceptors } });
}
