import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { linkTo } from "./mail";
import type { Plane, Programs } from "./plane";

/** Team is somebody who has signed up, with an organization and its first workspace. */
export interface Team {
  /** Where pages of the workspace start. */
  home: string;
  /** Calls an RPC from the page, as who is signed in there: what a story needs but does not tell. */
  call(method: string, input: object): Promise<Record<string, unknown>>;
  apply(source: string): Promise<void>;
  /** Starts an agent of a pool and waits until the server knows it. */
  join(pool: string): Promise<void>;
}

/** makeTeam signs somebody up in the page and makes their organization; path.e2e.ts looks at each step of that. */
export async function makeTeam(page: Page, plane: Plane, programs: Programs, name: string): Promise<Team> {
  const slug = name.toLowerCase().replaceAll(" ", "-");
  const email = `${slug}@example.com`;
  await page.goto(`${plane.url}/sign-up`);
  await page.getByRole("textbox", { name: "Name" }).fill("Grace Hopper");
  await page.getByRole("textbox", { name: "Work e-mail" }).fill(email);
  await page.getByLabel("Password", { exact: false }).first().fill("a ship in port is safe");
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Check your mail" }).waitFor();
  await page.goto(await linkTo(plane.mail, email, "/verify"));
  await page.getByRole("button", { name: "Confirm and continue" }).click();
  await page.getByRole("textbox", { name: "Organization" }).fill(name);
  await page.getByRole("button", { name: "Create the organization" }).click();
  await page.getByRole("heading", { name: "Your first run" }).waitFor();

  const call: Team["call"] = (method, input) =>
    page.evaluate(
      async ([path, body, org]) => {
        const answer = await fetch(`/${path}`, {
          method: "POST",
          headers: {
            "Content-Type": "application/json",
            "Signalbox-Organization": org,
            "Signalbox-Workspace": "default",
          },
          body,
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${path}: ${text}`);
        return JSON.parse(text) as Record<string, unknown>;
      },
      [method, JSON.stringify(input), slug] as const,
    );
  return {
    home: `${plane.url}/o/${slug}/w/default`,
    call,
    apply: async (source) => {
      const bytes = Buffer.from(source).toString("base64");
      await call("signalbox.pipeline.v1.PipelineService/ApplyPipeline", { source: bytes, filename: "pipeline.yaml" });
    },
    join: async (pool) => {
      const { token } = await call("signalbox.pool.v1.PoolService/CreateJoinToken", { pool });
      await startAgent(plane, programs, pool, ["start", "--server", plane.url, "--token", String(token)]);
    },
  };
}

/** startAgent starts an agent with a folder of its own, and waits until it says that the server knows it. */
export function startAgent(plane: Plane, programs: Programs, name: string, args: string[]): Promise<void> {
  const home = join(plane.folder, `agent-${name}`);
  mkdirSync(home);
  const agent = plane.start(`agent ${name}`, programs.agent, args, { HOME: home, SIGNALBOX_AGENT_DIR: home });
  return new Promise((done) => {
    for (const stream of [agent.stderr, agent.stdout]) {
      stream?.on("data", (text: Buffer) => {
        if (/connected|session|polling/i.test(text.toString())) done();
      });
    }
  });
}
