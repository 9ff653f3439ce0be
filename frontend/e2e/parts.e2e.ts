import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, openReader, type Reader } from "./browser";
import { buildPrograms, type Plane, type Programs, startPlane } from "./plane";
import { makeTeam, type Team } from "./team";

// A run with tasks that others are part of, read to its end: each step needs the
// one before it.

const pipeline = `signalbox: v1
name: parts
tasks:
  train:
    for_each: 4
    max_parallel: 2
    run: sleep 0.4
  pack:
    needs: [train]
    tasks:
      zip: {run: sleep 0.2}
      send: {needs: [zip], run: sleep 0.2}
  search:
    needs: [pack]
    repeat: {until: "outputs.loss < 0.5", max: 3}
    run: |
      sleep 0.2
      if [ "$SB_INDEX" = 1 ]; then echo 0.1; else echo 0.9; fi > "$SB_OUTPUTS/loss"
    outputs: {loss: {type: float, open: true}}
`;

const early = `signalbox: v1
name: early
tasks:
  begin:
    signal: {name: begin}
  labels:
    needs: [begin]
    signal: {name: labels-ready, type: string}
  read:
    run: echo "got $LABELS" > "$SB_OUTPUTS/text"
    env: {LABELS: "\${{ tasks.labels.outputs.payload }}"}
    outputs: {text: string}
`;

/** chain is a pipeline of tasks one after the other, more of them than there is space for. */
const chain = (name: string, tasks: number) =>
  ["signalbox: v1", `name: ${name}`, "tasks:"]
    .concat(
      Array.from({ length: tasks }, (_, i) => `  step-${i}: {${i > 0 ? `needs: [step-${i - 1}], ` : ""}run: "true"}`),
    )
    .join("\n");

describe("a run whose tasks have parts", () => {
  let programs: Programs;
  let plane: Plane;
  let browser: Browser;
  let reader: Reader;
  let page: Page;
  let team: Team;
  const look = (name: string) => reader.look(`parts-${name}`);

  beforeAll(async () => {
    programs = buildPrograms();
    plane = await startPlane({ programs, replicas: 1 });
    browser = await launch();
    reader = await openReader(browser);
    page = reader.page;
    team = await makeTeam(page, plane, programs, "Harbour Works");
    await team.apply(pipeline);
    await team.join("default");
  });

  afterAll(async () => {
    await browser?.close();
    await plane?.stop();
    programs?.remove();
  });

  it("shows of each from when to when its parts ran", async () => {
    await page.goto(`${team.home}/pipelines/parts?start=new`);
    await page.getByRole("dialog").getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("heading", { name: /^parts #1/ }).waitFor();
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.getByRole("heading", { name: /^parts #1 ?Succeeded/ }).waitFor({ timeout: 60_000 });
    const rows = page.getByRole("list", { name: "Tasks by time" });
    for (const name of ["train", "pack", "search"]) {
      const row = rows.getByRole("button", { name: new RegExp(`^${name} ?: Succeeded, took .+ with all its parts`) });
      await row.waitFor();
      expect(await row.locator("[data-kind=parts]").count()).toBe(1);
    }
    await rows.getByRole("button", { name: /^pack\/zip ?: Succeeded, ran/ }).waitFor();
    await look("01-timeline");
  });

  it.each([
    { name: "line", tasks: 6, whole: true },
    { name: "long", tasks: 14, whole: false },
  ])("keeps the graph of $tasks tasks in a row in sight beside an open task", async ({ name, tasks, whole }) => {
    await team.apply(chain(name, tasks));
    await page.goto(`${team.home}/pipelines/${name}?start=new`);
    await page.getByRole("dialog").getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("heading", { name: new RegExp(`^${name} #1 ?Succeeded`) }).waitFor({ timeout: 60_000 });
    const graph = page.getByLabel("The run's graph");
    const middle = `step-${tasks / 2}`;
    for (const opened of [middle, `step-${tasks - 1}`, "step-0"]) {
      if (whole) await graph.getByLabel(new RegExp(`^${opened}:`)).click();
      else await page.goto(`${page.url().split("?")[0]}?task=${opened}`);
      await page.getByRole("complementary", { name: `Task ${opened}` }).waitFor();
      const seen = async (task: string) => {
        const space = await graph.boundingBox();
        const box = await graph.getByLabel(new RegExp(`^${task}:`)).boundingBox();
        if (!space || !box) return false;
        return box.x >= space.x && box.x + box.width <= space.x + space.width;
      };
      await expect.poll(() => seen(opened), { timeout: 10_000 }).toBe(true);
      const all = Array.from({ length: whole ? tasks : 0 }, (_, i) => `step-${i}`);
      for (const task of all) await expect.poll(() => seen(task), { timeout: 10_000 }).toBe(true);
      if (opened === middle) await look(`02-${name}`);
    }
  });

  it("takes a signal before a task waits for it, sealed", async () => {
    await team.apply(early);
    await page.goto(`${team.home}/pipelines/early?start=new`);
    await page.getByRole("dialog").getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("heading", { name: /^early #1/ }).waitFor();
    const send = async (signal: string, text?: string) => {
      await page.getByRole("button", { name: "Signal…" }).click();
      const dialog = page.getByRole("dialog", { name: "Send a signal to early #1" });
      await dialog.getByRole("combobox", { name: "Signal" }).click();
      await page.getByRole("option", { name: signal }).click();
      if (text) {
        await dialog.getByText("The task labels takes it; until that waits, the signal is kept.").waitFor();
        await dialog.getByRole("textbox", { name: "payload" }).fill(text);
        await look("03-signal");
      }
      await dialog.getByRole("button", { name: "Send it" }).click();
      await dialog.waitFor({ state: "detached" });
    };
    await page.getByLabel(/^labels: Pending/).waitFor();
    await send("labels-ready", "s3://lake/labels");
    await page.getByLabel(/^labels: Pending/).waitFor();
    await send("begin");
    await page.getByRole("heading", { name: /^early #1 ?Succeeded/ }).waitFor({ timeout: 60_000 });
    expect(await page.getByRole("button", { name: "Signal…" }).count()).toBe(0);
    await page.getByRole("tab", { name: "Inputs and outputs" }).click();
    await page.getByRole("table", { name: "Outputs of read" }).getByText("got s3://lake/labels").waitFor();
  });

  it("met no error of the page and no refusal of its policy", () => reader.isQuiet());
});
