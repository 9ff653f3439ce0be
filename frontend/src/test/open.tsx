import { type ConnectRouter, createRouterTransport } from "@connectrpc/connect";
import { createMemoryHistory } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { App } from "@/app";
import { makeRouter } from "@/router";
import { Transports } from "@/rpc/transport";
import { mockServices } from "./mock/transport";
import { makeMockKey } from "./mock/workspace-key";
import { makeWorld, type Scenario, type World } from "./mock/world";

interface Options {
  scenario?: Scenario;
  /** Answers that differ from the mock's; they win. */
  services?: (router: ConnectRouter) => void;
  /** Changes the world before the page opens. */
  prepare?: (world: World) => void;
}

/** open shows the app at an address, against a server that is played in this process. */
export async function open(address: string, { scenario = "full", services, prepare }: Options = {}) {
  await makeMockKey();
  const world = makeWorld(scenario, Date.now());
  prepare?.(world);
  const transports = new Transports((interceptors) =>
    createRouterTransport(
      (router) => {
        mockServices(world)(router);
        services?.(router);
      },
      { transport: { interceptors } },
    ),
  );
  const router = makeRouter(transports, createMemoryHistory({ initialEntries: [address] }));
  const user = userEvent.setup();
  render(<App router={router} env="test" />);
  return { router, user, world, address: () => router.state.location.href };
}

export const workspace = "/o/northwind/w/research";
