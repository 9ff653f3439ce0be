import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** Plane is a server of its own for one test file, with a folder for everything it writes. */
export interface Plane {
  url: string;
  folder: string;
  /** Where mails are written. */
  mail: string;
  /** The agent's program. */
  agent: string;
  start(name: string, command: string, args: string[], env?: NodeJS.ProcessEnv): ChildProcess;
  stop(): Promise<void>;
}

/** Programs may be built beforehand; CI builds them once for all its steps. */
function program(name: string, env: string, folder: string, module: string, pkg: string): string {
  const given = process.env[env];
  if (given) return resolve(root, given);
  const out = join(folder, name);
  execFileSync("go", ["build", "-o", out, pkg], { cwd: join(root, module), stdio: "inherit" });
  return out;
}

/** startPlane starts `signalbox dev` on a free port and waits until it answers. */
export async function startPlane(): Promise<Plane> {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-e2e-"));
  chmodSync(folder, 0o755); // PostgreSQL runs as another user and has to get through
  const mail = join(folder, "mail");
  mkdirSync(mail);
  if (!process.env.SIGNALBOX_BIN) {
    // The server carries the app as it was when the server was built.
    execFileSync("npm", ["run", "build"], { cwd: join(root, "frontend"), stdio: "ignore" });
  }
  const server = program("signalbox", "SIGNALBOX_BIN", folder, ".", "./cmd/signalbox");
  const agent = program("signalbox-agent", "SIGNALBOX_AGENT_BIN", folder, "agent", "./cmd/signalbox-agent");
  const address = `127.0.0.1:${await freePort()}`;
  const children: ChildProcess[] = [];
  const plane: Plane = {
    url: `http://${address}`,
    folder,
    mail,
    agent,
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
      rmSync(folder, { recursive: true, force: true });
    },
  };
  plane.start("server", server, ["dev", "--address", address, "--dir", join(folder, "data")], {
    SIGNALBOX_MAIL: `file:${mail}`,
  });
  await healthy(plane.url);
  return plane;
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
