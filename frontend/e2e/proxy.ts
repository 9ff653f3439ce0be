import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

/** Proxy stands before the replicas of a plane. */
export interface Proxy {
  url: string;
  /** How many requests each target was sent, in the targets' order. */
  sent: readonly number[];
  stop(): void;
}

/**
 * startProxy sends every request to the next of the targets in turn: the worst
 * that a proxy may do to replicas that must not remember anything of their own.
 * Bodies pass in both directions as they come. Targets are host:port.
 */
export async function startProxy(targets: readonly string[]): Promise<Proxy> {
  const connections = new Agent({ keepAlive: true });
  const sent = targets.map(() => 0);
  let next = 0;
  const server = createServer((asked, answer) => {
    const turn = next++ % targets.length;
    sent[turn] = (sent[turn] ?? 0) + 1;
    pass(asked, answer, new URL(`http://${targets[turn]}`), connections);
  });
  server.requestTimeout = 0; // a stream lasts as long as it lasts
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", done);
  });
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    sent,
    stop: () => {
      server.close();
      server.closeAllConnections();
      connections.destroy();
    },
  };
}

function pass(asked: IncomingMessage, answer: ServerResponse, target: URL, agent: Agent): void {
  // The host stays as it was asked for, as the server compares it with the origin.
  const headers = { ...asked.headers, "x-forwarded-for": forwardedFor(asked) };
  delete headers.connection; // it is about one hop
  const { hostname, port } = target;
  const onward = request({ agent, hostname, port, method: asked.method, path: asked.url, headers }, (got) => {
    const { connection: _, ...answered } = got.headers;
    answer.writeHead(got.statusCode ?? 502, answered);
    answer.flushHeaders(); // a stream may stay without a first byte for long
    got.pipe(answer);
    got.once("error", () => answer.destroy());
  });
  onward.once("error", () => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end();
  });
  // Who goes away ends the work that is done for them.
  answer.once("close", () => onward.destroy());
  asked.pipe(onward);
}

function forwardedFor(asked: IncomingMessage): string {
  const before = asked.headers["x-forwarded-for"];
  return [before, asked.socket.remoteAddress].flat().filter(Boolean).join(", ");
}
