import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, openReader, type Reader } from "./browser";

// Every page in both themes, against the mock: looked at by axe, and kept as a
// picture to look at.

const root = resolve(import.meta.dirname, "..");
const outDir = resolve(root, "test-results/mock");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const workspace = "/o/northwind/w/research";

interface View {
  name: string;
  path: string;
  /** What must be there before one looks. */
  ready: (page: Page) => Promise<unknown>;
}

const table = (name: string) => (page: Page) => page.getByRole("table", { name }).first().waitFor();
const heading = (name: string) => (page: Page) => page.getByRole("heading", { name }).first().waitFor();

const views: View[] = [
  { name: "sign-in", path: "/sign-in?mock=out", ready: heading("Sign in") },
  { name: "sign-up", path: "/sign-up?mock=out", ready: heading("Make an account") },
  { name: "check-mail", path: "/check-mail?email=a@b.example", ready: heading("Check your mail") },
  { name: "verify", path: "/verify?token=sbi_1", ready: heading("Confirm your address") },
  { name: "invited", path: "/new?mock=new", ready: heading("You are invited") },
  { name: "checklist", path: `${workspace}?mock=fresh`, ready: heading("Your first run") },
  { name: "overview", path: `${workspace}?mock=full`, ready: table("Recent runs") },
  { name: "runs", path: `${workspace}/runs?window=7d`, ready: table("Runs") },
  {
    name: "runs-none",
    path: `${workspace}/runs?state=dropped`,
    ready: (page) => page.getByText("No run fits").waitFor(),
  },
  { name: "pipelines", path: `${workspace}/pipelines`, ready: table("Pipelines") },
  { name: "pipeline", path: `${workspace}/pipelines/digits`, ready: table("Params") },
  {
    name: "source",
    path: `${workspace}/pipelines/digits?view=source`,
    ready: (page) => page.getByText("digits.yaml").waitFor(),
  },
  { name: "versions", path: `${workspace}/pipelines/digits?view=versions`, ready: table("Versions") },
  {
    name: "start",
    path: `${workspace}/pipelines/digits?start=new`,
    ready: (page) => page.getByRole("textbox", { name: "seed" }).waitFor(),
  },
  { name: "pools", path: `${workspace}/pools`, ready: table("Agents") },
  { name: "pool", path: `${workspace}/pools/gpu-eu`, ready: table("Agents") },
  { name: "usage", path: "/o/northwind/usage", ready: (page) => page.getByText("Total so far").waitFor() },
  { name: "members", path: "/o/northwind/members", ready: table("Members") },
  { name: "keys", path: "/o/northwind/keys", ready: table("API keys") },
  { name: "audit", path: "/o/northwind/audit", ready: table("Audit log") },
  { name: "account", path: "/account", ready: table("Sessions") },
  { name: "not-found", path: "/nowhere", ready: (page) => page.getByText("There is nothing").waitFor() },
];

let server: PreviewServer;
let browser: Browser;
let url: string;

beforeAll(async () => {
  await build({ root, mode: "mock", logLevel: "error", build: { outDir, emptyOutDir: true } });
  server = await preview({ root, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } });
  url = server.resolvedUrls?.local[0]?.replace(/\/$/, "") ?? "";
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe.each(["light", "dark"] as const)("in the %s theme", (scheme) => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await openReader(browser, scheme);
  });
  afterAll(() => reader.page.context().close());

  it.each(views)("$name is readable by everybody", async ({ name, path, ready }) => {
    await reader.page.goto(url + path);
    await ready(reader.page);
    await reader.shot(`page-${name}-${scheme}`);
    expect(await problemsOf(reader.page)).toEqual([]);
    reader.isQuiet();
  });

  it("a run is readable in each of its views", async () => {
    const { page } = reader;
    await page.goto(`${url}${workspace}?mock=full`);
    await page.getByRole("link", { name: /fraud-train #901/ }).click();
    await page.getByLabel(/^features: Failed/).click();
    await page.getByText("Try 2", { exact: true }).waitFor();
    await reader.shot(`page-run-attempts-${scheme}`);
    expect(await problemsOf(page)).toEqual([]);
    await page.getByRole("tab", { name: "Logs" }).click();
    await page.getByText("Complete").waitFor();
    await page.getByRole("tab", { name: "Timeline" }).click();
    await reader.shot(`page-run-log-${scheme}`);
    expect(await problemsOf(page)).toEqual([]);
    await page.getByRole("tab", { name: "Inputs and outputs" }).click();
    await page
      .getByText(/opened in this browser/)
      .first()
      .waitFor();
    await reader.shot(`page-run-values-${scheme}`);
    expect(await problemsOf(page)).toEqual([]);
  });
});

describe("the keyboard alone", () => {
  it("goes from the overview to a task's log", async () => {
    const { page } = await openReader(browser);
    await page.goto(`${url}${workspace}?mock=full`);
    await page.getByRole("table", { name: "Recent runs" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    await page.getByRole("link", { name: /fraud-train #901/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^fraud-train #901/ }).waitFor();
    await page.keyboard.press("f");
    await page.getByRole("complementary", { name: "Task features" }).waitFor();
    await page.keyboard.press("l");
    await page.getByRole("log", { name: "Log of features" }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("complementary", { name: "Task features" }).count()).toBe(0);
    await page.context().close();
  });
});

/** problemsOf lists what axe finds serious: the rule, and where. */
async function problemsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const report: unknown = await page.evaluate("axe.run()");
  return violationsOf(report)
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

function violationsOf(report: unknown): Violation[] {
  if (typeof report !== "object" || report === null || !("violations" in report)) throw new Error("axe gave no report");
  return report.violations as Violation[];
}
