import { randomBytes } from "node:crypto";
import type { Browser, Page, Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemsOf } from "./axe";
import { launch, openReader, type Reader } from "./browser";
import { linkTo } from "./mail";
import { buildPrograms, type Plane, type Programs, startPlane } from "./plane";
import { startAgent } from "./team";
import { heading, publicViews, table, viewsOf } from "./views";

// The path of a new team, in the order in which it goes: each step needs the
// one before it. It is walked with one replica, and with two of which each
// request meets the other one: no step may rest on what one process remembers.

const email = "ada@example.com";
const password = "punched cards all the way down";

let programs: Programs;

beforeAll(() => {
  programs = buildPrograms();
});

afterAll(() => programs?.remove());

describe.each([
  { replicas: 1, title: "one replica", suffix: "" },
  { replicas: 2, title: "two replicas in turn", suffix: "-two" },
] as const)("a new team on $title", ({ replicas, suffix }) => {
  const canary = `canary-${randomBytes(12).toString("hex")}`;
  /** Everything that the server sent to the browser, to look for the canary in. */
  const received: string[] = [];
  let plane: Plane;
  let browser: Browser;
  let reader: Reader;
  let page: Page;
  const shot = (name: string) => reader.shot(name + suffix);

  beforeAll(async () => {
    plane = await startPlane({ programs, replicas });
    browser = await launch();
    reader = await openReader(browser);
    page = reader.page;
    page.on("response", async (answer) => {
      if (answer.url().includes("/signalbox.")) received.push(await answer.text().catch(() => ""));
    });
  });

  afterAll(async () => {
    await browser?.close();
    await plane?.stop();
  });

  it("signs up and confirms its address", async () => {
    await page.goto(plane.url);
    await page.getByRole("link", { name: "Make an account" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Ada Lovelace");
    await page.getByRole("textbox", { name: "Work e-mail" }).fill(email);
    await page.getByLabel("Password", { exact: false }).first().fill(password);
    await page.getByRole("button", { name: "Make the account" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    await page.goto(await linkTo(plane.mail, email, "/verify"));
    await page.getByRole("button", { name: "Confirm and continue" }).click();
    await page.getByRole("heading", { name: "Create your organization" }).waitFor();
  });

  it("creates an organization", async () => {
    await page.getByRole("textbox", { name: "Organization" }).fill("Analytical Engines");
    await expect
      .poll(() => page.getByRole("textbox", { name: "Name in URLs" }).inputValue())
      .toBe("analytical-engines");
    await page.getByRole("button", { name: "Create the organization" }).click();
    await page.getByRole("heading", { name: "Your first run" }).waitFor();
    await shot("01-checklist");
  });

  it("installs an agent, and sees the tick within two seconds", async () => {
    await page.getByRole("button", { name: "Show the install command" }).click();
    const command = await page.locator("code", { hasText: "signalbox-agent" }).textContent();
    const [program, ...args] = (command ?? "").trim().split(/\s+/);
    expect(program).toBe("signalbox-agent");
    expect(command).toContain(plane.url);
    await startAgent(plane, programs, "first", args);
    await page.getByText("1 agent connected").waitFor({ timeout: 2000 });
    await shot("02-agent-connected");
  });

  it("applies the example and starts a run with a sealed param", async () => {
    await page.getByRole("button", { name: "Apply the hello example" }).click();
    await page.getByRole("link", { name: "Start hello" }).click();
    const dialog = page.getByRole("dialog", { name: "Start a run: hello" });
    await dialog.getByRole("textbox", { name: "who" }).fill(canary);
    await shot("03-start");
    await dialog.getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("heading", { name: /^hello #1/ }).waitFor();
  });

  it("watches it live to its end", async () => {
    await page.getByText("Succeeded", { exact: true }).first().waitFor({ timeout: 60_000 });
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.getByRole("button", { name: /^shout ?: Succeeded, ran/ }).waitFor();
    await shot("04-timeline");
  });

  it("reads a log that was opened in the browser", async () => {
    await page.getByRole("button", { name: /^shout ?: Succeeded/ }).click();
    await page.getByRole("tab", { name: "Logs" }).click();
    const log = page.getByRole("log", { name: "Log of shout" });
    await log.getByText(canary.toUpperCase()).waitFor();
    await shot("05-log");
    await page.getByRole("button", { name: "Close the task" }).click();
  });

  it("reads values that were opened in the browser", async () => {
    await page.getByRole("tab", { name: "Inputs and outputs" }).click();
    const params = page.getByRole("table", { name: "Params" });
    await params.getByText(canary).waitFor();
    await page.getByRole("table", { name: "Outputs of greet" }).getByText(`Hello, ${canary}!`).waitFor();
    await shot("06-values");
  });

  it("never got the canary from the server in the clear", () => {
    expect(received.length).toBeGreaterThan(10);
    const plain = new RegExp(`${canary}|${Buffer.from(canary).toString("base64").slice(0, -4)}`, "i");
    expect(received.filter((text) => plain.test(text))).toEqual([]);
  });

  it("runs it again with the same values", async () => {
    await page.getByRole("link", { name: "Run again" }).click();
    const dialog = page.getByRole("dialog", { name: "Run again: hello" });
    await expect.poll(() => dialog.getByRole("textbox", { name: "who" }).inputValue()).toBe(canary);
    await dialog.getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("heading", { name: /^hello #2/ }).waitFor();
    await page.getByText("Succeeded", { exact: true }).first().waitFor({ timeout: 60_000 });
  });

  it("sees what it used, down to the attempts", async () => {
    await page.getByRole("link", { name: "Usage" }).click();
    await page.getByText("Total so far").waitFor();
    await page.getByRole("button", { name: /^Task attempts/ }).click();
    await page.getByRole("button", { name: /^hello #1/ }).click();
    await page.getByRole("table", { name: "Attempts of hello #1" }).getByText("measure").waitFor();
    await shot("07-usage");
  });

  it("finds its acts in the audit log, whole", async () => {
    await page.getByRole("link", { name: "Audit log" }).click();
    await page.getByRole("button", { name: "Verify the chain" }).click();
    await page.getByText(/^Intact: /).waitFor();
    await shot("08-audit");
  });

  describe("every page", () => {
    const place = {
      org: "analytical-engines",
      workspace: "default",
      pipeline: "hello",
      file: "examples/hello/pipeline.yaml",
      param: "who",
      pool: "default",
    };
    const overview = { name: "overview", path: "/o/analytical-engines/w/default", ready: table("Recent runs") };

    it.each([overview, ...viewsOf(place)])("$name is whole", async ({ name, path, ready }) => {
      await opens(page, plane.url + path, ready);
      await shot(`page-${name}`);
    });

    it("of a run is whole", async () => {
      await opens(page, `${plane.url}${overview.path}/runs`, table("Runs"));
      await page.getByRole("link", { name: /^hello #1/ }).click();
      for (const tab of ["Timeline", "Inputs and outputs"]) {
        await page.getByRole("tab", { name: tab }).click();
        expect(await problemsOf(page)).toEqual([]);
      }
      await opens(page, page.url(), heading("hello #1"));
    });

    it.each(publicViews())("$name is whole to a stranger", async ({ path, ready }) => {
      const stranger = await openReader(browser);
      await opens(stranger.page, plane.url + path, ready);
      stranger.isQuiet();
      await stranger.page.context().close();
    });
  });

  it("signs out, and is asked to sign in again", async () => {
    await page.getByRole("button", { name: /account and appearance/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${plane.url}/o/analytical-engines/members`);
    await page.getByRole("textbox", { name: "E-mail" }).fill(email);
    await page.getByLabel("Password", { exact: false }).first().fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Members" }).waitFor();
  });

  it("met no error of the page and no refusal of its policy", () => reader.isQuiet());

  if (replicas === 2) {
    it("was served by both replicas alike", () => {
      const [first = 0, second = 0] = plane.sent;
      expect(first).toBeGreaterThan(10);
      expect(Math.abs(first - second)).toBeLessThanOrEqual(1);
    });
  }
});

/**
 * opens loads a page anew, as somebody who follows a link to it: all it knows it
 * has to ask for, and no answer may be an error or unreadable.
 */
async function opens(page: Page, url: string, ready: (page: Page) => Promise<unknown>): Promise<void> {
  const failed: string[] = [];
  const look = (answer: Response) => {
    if (answer.url().includes("/signalbox.") && answer.status() >= 400)
      failed.push(`${answer.status()} ${answer.url()}`);
  };
  page.on("response", look);
  await page.goto(url);
  await ready(page);
  expect(await problemsOf(page)).toEqual([]);
  page.off("response", look);
  expect(failed.filter((text) => !/^401 .*\/WhoAmI$/.test(text))).toEqual([]);
}
