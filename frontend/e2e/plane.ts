import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startProxy } from "./proxy";

const root = resolve(import.meta.dirname, "../..");

/** Programs are the two that a plane runs. */
export interface Programs {
  server: string;
  agent: string;
  remove(): void;
}

/** buildPrograms builds what was not built beforehand; CI builds both once for all its steps. */
export function buildPrograms(): Programs {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-e2e-bin-"));
  const program = (name: string, env: string, module: string) => {
    const given = process.env[env];
    if (given) return resolve(root, given);
    const out = join(folder, name);
    execFileSync("go", ["build", "-o", out, `./cmd/${name}`], { cwd: join(root, module), stdio: "inherit" });
    return out;
  };
  if (!process.env.SIGNALBOX_BIN) {
    // The server carries the app as it was when the server was built.
    execFileSync("npm", ["run", "build"], { cwd: join(root, "frontend"), stdio: "ignore" });
  }
  return {
    server: program("signalbox", "SIGNALBOX_BIN", "."),
    agent: program("signalbox-agent", "SIGNALBOX_AGENT_BIN", "agent"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Plane is a control plane of its own for one story, with a folder for everything it writes. */
export interface Plane {
  url: string;
  folder: string;
  /** Where mails are written. */
  mail: string;
  /** How many requests each replica was sent by the proxy; empty without one. */
  sent: readonly number[];
  start(name: string, command: string, args: string[], env?: NodeJS.ProcessEnv): ChildProcess;
  stop(): Promise<void>;
}

/**
 * startPlane starts `signalbox dev` on a free port and waits until it answers.
 * With two replicas, a `signalbox server` works on the same database, and a
 * proxy before them sends each request to the other one in turn.
 */
export async function startPlane({ programs, replicas }: { programs: Programs; replicas: 1 | 2 }): Promise<Plane> {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-e2e-"));
  chmodSync(folder, 0o755); // PostgreSQL runs as another user and has to get through
  const mail = join(folder, "mail");
  mkdirSync(mail);
  const first = `127.0.0.1:${await freePort()}`;
  const second = `127.0.0.1:${await freePort()}`;
  const proxy = replicas === 2 ? await startProxy([first, second]) : undefined;
  const children: ChildProcess[] = [];
  const plane: Plane = {
    url: proxy?.url ?? `http://${first}`,
    folder,
    mail,
    sent: proxy?.sent ?? [],
    start: (name, command, args, env = {}) => {
      const child = spawn(command, args, {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (text: Buffer) => process.stderr.write(`${name}: ${text}`));
      }
      children.push(child);
      return child;
    },
    stop: async () => {
      for (const child of children.toReversed()) await end(child);
      proxy?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const env = {
    SIGNALBOX_MAIL: `file:${mail}`,
    SIGNALBOX_PUBLIC_URL: plane.url,
    SIGNALBOX_PROXIES: proxy ? "1" : "0",
    SIGNALBOX_LOG_LEVEL: "warn",
  };
  try {
    const dev = ["dev", "--address", first, "--dir", join(folder, "data")];
    const database = databaseOf(plane.start("server", programs.server, dev, env));
    await healthy(`http://${first}`);
    if (proxy) {
      const other = { ...env, DATABASE_URL: await database, SIGNALBOX_ADDRESS: second };
      plane.start("server 2", programs.server, ["server"], other);
      await healthy(`http://${second}`);
    }
  } catch (problem) {
    await plane.stop();
    throw problem;
  }
  return plane;
}

/** databaseOf reads the database's URL from the greeting of `signalbox dev`. */
function databaseOf(dev: ChildProcess): Promise<string> {
  let greeting = "";
  return new Promise((done) => {
    dev.stdout?.on("data", (text: Buffer) => {
      greeting += text.toString();
      const url = /export DATABASE_URL='([^']+)'/.exec(greeting)?.[1];
      if (url) done(url);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await gone;
  clearTimeout(late);
}

async function healthy(url: string): Promise<void> {
  const until = Date.now() + 120_000;
  for (;;) {
    const ok = await fetch(`${url}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) return;
    if (Date.now() > until) throw new Error(`${url} does not answer`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address ? done(address.port) : fail(new Error("no port"))));
    });
  });
}
