import { createRoot } from "react-dom/client";
import { App } from "@/app";
import { makeRouter } from "@/router";
import { type MakeTransport, Transports } from "@/rpc/transport";

/** The mock mode answers in the browser; its code is left out of every other build. */
async function mockTransport(): Promise<MakeTransport | undefined> {
  if (import.meta.env.MODE !== "mock") return undefined;
  const { makeMockTransport } = await import("@/test/mock/transport");
  return makeMockTransport();
}

const router = makeRouter(new Transports(await mockTransport()));
const root = document.getElementById("root");
if (root) createRoot(root).render(<App router={router} />);
