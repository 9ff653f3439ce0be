import { randomBytes } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, openReader, type Reader } from "./browser";
import { buildPrograms, type Plane, type Programs, startPlane } from "./plane";
import { makeTeam, type Team } from "./team";

// A run that does not go on by itself, and somebody who wants to know why and
// what they can do: each step needs the one before it.

const pipeline = `signalbox: v1
name: steer
params:
  word: {type: string, default: calm}
  times: {type: int, default: 1, open: true}
tasks:
  prepare:
    run: echo "$WORD" > "$SB_OUTPUTS/said"
    env: {WORD: "\${{ params.word }}"}
    outputs: {said: string}
  go:
    signal: {name: go, type: string}
  answer:
    run: echo "$SAID and $GOT" > "$SB_OUTPUTS/text"
    env: {SAID: "\${{ tasks.prepare.outputs.said }}", GOT: "\${{ tasks.go.outputs.payload }}"}
    outputs: {text: string}
`;

let programs: Programs;

beforeAll(() => {
  programs = buildPrograms();
});

afterAll(() => programs?.remove());

describe.each([
  { replicas: 1, title: "one replica" },
  { replicas: 2, title: "two replicas in turn" },
] as const)("a run that wants steering on $title", ({ replicas }) => {
  const canary = `canary-${randomBytes(12).toString("hex")}`;
  /** Everything that went between browser and server, to look for the canary in. */
  const wire: Buffer[] = [];
  let plane: Plane;
  let browser: Browser;
  let reader: Reader;
  let page: Page;
  let team: Team;
  /** More replicas look the same. */
  const look = async (name: string) => {
    if (replicas === 1) await reader.look(`steer-${name}`);
  };

  beforeAll(async () => {
    plane = await startPlane({ programs, replicas });
    browser = await launch();
    reader = await openReader(browser);
    page = reader.page;
    page.on("request", (asked) => wire.push(asked.postDataBuffer() ?? Buffer.alloc(0)));
    page.on("response", async (answer) => {
      if (answer.url().includes("/signalbox.")) wire.push(await answer.body().catch(() => Buffer.alloc(0)));
    });
    team = await makeTeam(page, plane, programs, "Harbour Works");
    await team.apply(pipeline);
  });

  afterAll(async () => {
    await browser?.close();
    await plane?.stop();
  });

  it("says what holds it up, and what to do about it", async () => {
    await page.goto(`${team.home}/pipelines/steer?start=new`);
    await page.getByRole("dialog").getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("heading", { name: /^steer #1/ }).waitFor();
    const notice = page.getByRole("region", { name: "What holds it up" });
    await notice.getByText("No agent has joined pool default.").waitFor();
    await notice.getByText("signalbox pool join-token default").waitFor();
    await look("01-stuck");
  });

  it("says of each task why it waits", async () => {
    await page.getByRole("tab", { name: "Waiting" }).click();
    const waiting = page.getByRole("table", { name: "What waits" });
    await waiting.getByText("It waits for the signal go.").waitFor();
    await waiting.getByText(/^It waits for prepare \(ready\).*0 of 2 upstream tasks have ended/).waitFor();
    await waiting.getByRole("button", { name: "prepare" }).click();
    const task = page.getByRole("complementary", { name: "Task prepare" });
    await task.getByRole("region", { name: "Why it does not run" }).getByText("No agent has joined").waitFor();
    await look("02-why");
  });

  it("goes on by itself once there is an agent", async () => {
    await team.join("default");
    await page.getByRole("region", { name: "What holds it up" }).waitFor({ state: "detached" });
    await page
      .getByRole("complementary", { name: "Task prepare" })
      .getByText("Succeeded", { exact: true })
      .first()
      .waitFor();
  });

  it("takes the signal that it waits for, sealed", async () => {
    await page.getByRole("tab", { name: "Waiting" }).click();
    await page.getByRole("table", { name: "What waits" }).getByRole("button", { name: "go" }).click();
    const task = page.getByRole("complementary", { name: "Task go" });
    await task.getByText("Waits for the signal “go” with a string.").waitFor();
    await task.getByRole("button", { name: "Send the signal…" }).click();
    const dialog = page.getByRole("dialog", { name: "Send the signal go to steer #1" });
    // The agent made the workspace's key when it joined, long after the page had asked for it.
    await dialog.getByText("The workspace has no sealing key yet").waitFor({ state: "detached" });
    await dialog.getByRole("button", { name: "Send it" }).click();
    await dialog.getByText("Needed: it has no default.").waitFor();
    await dialog.getByRole("textbox", { name: "payload" }).fill(canary);
    await dialog.getByRole("textbox", { name: "Idempotency key" }).fill("once");
    await look("03-signal");
    await dialog.getByRole("button", { name: "Send it" }).click();
    await page.getByRole("heading", { name: /^steer #1 ?Succeeded/ }).waitFor({ timeout: 60_000 });
    await page.getByRole("tab", { name: "Inputs and outputs" }).click();
    await page.getByRole("table", { name: "Outputs of answer" }).getByText(`calm and ${canary}`).waitFor();
    await look("04-answer");
  });

  it("is shown as it was at any point of its journal", async () => {
    await page.getByRole("button", { name: "Close the task" }).click();
    await page.getByRole("button", { name: "Go back in its history" }).click();
    const history = page.getByRole("region", { name: "History of the run" });
    const last = await history.getByText(/^Entry \d+ of \d+$/).textContent();
    expect(last).toMatch(/^Entry (\d+) of \1$/);
    const hand = history.getByRole("slider", { name: "Entry of the journal" });
    await hand.press("Home");
    await history.getByText(/^Entry 1 of/).waitFor();
    await page.getByLabel(/^answer: Pending/).waitFor();
    await page.getByText("as it stood then").waitFor();
    // Forward until the signal is all that is missing.
    const held = page.getByLabel(/^go: Waiting/);
    const done = page.getByLabel(/^prepare: Succeeded/);
    for (let i = 0; i < 20 && !((await held.count()) > 0 && (await done.count()) > 0); i++) {
      await hand.press("ArrowRight");
      await history.getByText(`Entry ${i + 2} of`, { exact: false }).waitFor();
      await expect.poll(() => history.getAttribute("aria-busy")).toBe("false");
    }
    await held.waitFor();
    await done.waitFor();
    await page.getByLabel(/^answer: Pending/).waitFor();
    await look("05-history");
    await history.getByRole("button", { name: "Back to now" }).click();
    await page.getByRole("table", { name: "Outputs of answer" }).waitFor();
  });

  it("is taken up again with a changed param, sealed too", async () => {
    await page.getByRole("button", { name: "Resume…" }).click();
    const dialog = page.getByRole("dialog", { name: /Resume steer #1/ });
    const would = dialog.getByRole("list", { name: "What would run" });
    await dialog.getByText("3 taken over, 0 to run").waitFor();
    await dialog.getByRole("combobox", { name: "Change a param" }).click();
    await page.getByRole("option", { name: "word" }).click();
    const word = dialog.getByRole("textbox", { name: "word" });
    await expect.poll(() => word.inputValue()).toBe("calm");
    await word.fill(`rough ${canary}`);
    await dialog.getByText("1 taken over, 2 to run").waitFor();
    await would.getByText("go").waitFor();
    await dialog.getByRole("radio", { name: "From one task on" }).click();
    await dialog.getByRole("combobox", { name: "From the task" }).click();
    await page.getByRole("option", { name: "answer" }).click();
    await would.getByText(/param/).first().waitFor();
    await look("06-resume");
    await dialog.getByRole("button", { name: "Start the new run" }).click();
    await page.getByRole("heading", { name: /^steer #2 ?Succeeded/ }).waitFor({ timeout: 60_000 });
    await page.getByRole("tab", { name: "Inputs and outputs" }).click();
    await page.getByRole("table", { name: "Outputs of answer" }).getByText(`rough ${canary} and ${canary}`).waitFor();
  });

  it("never sent the canary in the clear, nor got it so", () => {
    expect(wire.length).toBeGreaterThan(20);
    const spelled = [canary, Buffer.from(canary).toString("base64").slice(0, -4)];
    expect(wire.filter((bytes) => spelled.some((each) => bytes.includes(each)))).toEqual([]);
  });

  it("met no error of the page and no refusal of its policy", () => reader.isQuiet());
});
