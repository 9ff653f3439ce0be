import { resolve } from "node:path";
import type { Browser } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mockId } from "../src/test/mock/random";
import { problemsOf } from "./axe";
import { launch, openReader, type Reader } from "./browser";
import { heading, publicViews, table, type View, viewsOf } from "./views";

// Every page in both themes, against the mock: looked at by axe, and kept as a
// picture to look at. path.e2e.ts opens them on a plane.

const root = resolve(import.meta.dirname, "..");
const outDir = resolve(root, "test-results/mock");
const workspace = "/o/northwind/w/research";

const views: View[] = [
  ...publicViews("?mock=out"),
  { name: "invited", path: "/new?mock=new", ready: heading("You are invited") },
  { name: "checklist", path: `${workspace}?mock=fresh`, ready: heading("Your first run") },
  { name: "approvals", path: `${workspace}/approvals?mock=full`, ready: table("Approvals") },
  { name: "overview", path: `${workspace}?mock=full`, ready: table("Recent runs") },
  ...viewsOf({
    org: "northwind",
    workspace: "research",
    pipeline: "digits",
    file: "digits.yaml",
    param: "seed",
    pool: "gpu-eu",
  }),
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

  it("a run whose tasks came into being is readable", async () => {
    const { page } = reader;
    await page.goto(`${url}${workspace}/runs/${mockId("run", 904)}?mock=full`);
    await page.getByLabel(/^train: Failed, 40\/40/).click();
    await page.getByRole("button", { name: /train\[0\]/ }).waitFor();
    await reader.shot(`page-run-map-${scheme}`);
    expect(await problemsOf(page)).toEqual([]);
    await page.getByRole("button", { name: /train\[4\]/ }).click();
    await page.getByText("Try 1", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume…" }).click();
    await page.getByRole("list", { name: "What would run" }).waitFor();
    await reader.shot(`page-run-resume-${scheme}`);
    expect(await problemsOf(page)).toEqual([]);
  });

  it("a task that waits says for whom", async () => {
    const { page } = reader;
    await page.goto(`${url}${workspace}/approvals?mock=full`);
    await page.getByRole("table", { name: "Approvals" }).getByRole("link").first().click();
    await page.getByRole("button", { name: "Approve…" }).waitFor();
    await page.getByText("Grace Hopper").waitFor();
    await page.getByText("“Promote accuracy 0.9822?”").waitFor();
    await page.getByRole("button", { name: "Pause…" }).click();
    await page.getByRole("menuitem", { name: /^Suspend/ }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await reader.shot(`page-run-held-${scheme}`);
    expect(await problemsOf(page)).toEqual([]);
  });
});

describe("the keyboard alone", () => {
  it("approves of what waits", async () => {
    const { page } = await openReader(browser);
    await page.goto(`${url}${workspace}?mock=full`);
    await page.getByRole("table", { name: "Recent runs" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("v");
    const rows = page.getByRole("table", { name: "Approvals" }).getByRole("row");
    await rows.nth(3).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("a"); // four eyes: nothing to ask
    await page.keyboard.press("k");
    await page.keyboard.press("a");
    await page.getByRole("textbox", { name: "Comment" }).fill("fine");
    await page.getByRole("dialog").getByText("“Promote accuracy 0.9822?”").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Approve" }).press("Enter");
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(3);
    await page.context().close();
  });

  it("goes from the overview to a task's log", async () => {
    const { page } = await openReader(browser);
    await page.goto(`${url}${workspace}?mock=full`);
    await page.getByRole("table", { name: "Recent runs" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    // The overview's table of recent runs has the same link, until it is gone.
    const runs = page.getByRole("table", { name: "Runs", exact: true });
    await runs.getByRole("link", { name: /fraud-train #901/ }).focus();
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
