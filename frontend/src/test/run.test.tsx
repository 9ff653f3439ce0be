import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { mockId } from "./mock/random";
import type { World } from "./mock/world";
import { open, workspace } from "./open";

const live = `${workspace}/runs/${mockId("run", 903)}`;
const failed = `${workspace}/runs/${mockId("run", 901)}`;
const withoutAgent = `${workspace}/runs/${mockId("run", 902)}`;

/** advance lets a run be so many seconds old. */
function advance(world: World, id: string, seconds: number) {
  const script = world.runs.find((run) => run.id === id);
  if (script) script.createdAt = Date.now() - seconds * 1000;
}

describe("a run", () => {
  it("moves by itself, and says that it does", async () => {
    const { world } = await open(`${live}?view=timeline`);
    expect(await screen.findByText("Live")).toBeInTheDocument();
    expect(await screen.findByRole("button", { name: /^register ?: Pending/ })).toBeInTheDocument();
    advance(world, mockId("run", 903), 600);
    expect(await screen.findByRole("button", { name: /^register ?: Succeeded, ran/ })).toBeInTheDocument();
    expect(screen.queryByText("Live")).toBeNull();
  });

  it("draws its graph with a word for each state", async () => {
    await open(failed);
    expect(await screen.findByLabelText(/^features: Failed/)).toBeInTheDocument();
    expect(screen.getByLabelText(/^train: Upstream failed/)).toBeInTheDocument();
  });

  it("shows tries with their reasons and their opened error texts", async () => {
    await open(`${failed}?view=timeline&task=features`);
    const panel = await screen.findByRole("complementary", { name: "Task features" });
    expect(await within(panel).findByText("Try 2")).toBeInTheDocument();
    expect(within(panel).getByText("Try 1")).toBeInTheDocument();
    expect((await within(panel).findAllByText(/feature matrix has 64 columns/)).length).toBe(2);
  });

  it("opens a log in the browser", async () => {
    await open(`${failed}?view=timeline&task=features&tab=logs`);
    expect(await screen.findByText("Complete")).toBeInTheDocument();
    expect(screen.getByText("loading 1797 images, 8x8, 10 classes")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Link to line 2" })).toBeInTheDocument();
    expect(screen.getByRole("log", { name: "Log of features" })).toBeInTheDocument();
  });

  it("opens values that nobody else can read", async () => {
    await open(`${failed}?view=values`);
    const params = await screen.findByRole("table", { name: "Params" });
    expect(within(params).getByText("s3://lake/transactions/latest")).toBeInTheDocument();
    await waitFor(() => expect(within(params).queryByText("sealed")).toBeNull());
    expect(within(params).getAllByRole("img", { name: /opened in this browser/ })).toHaveLength(2);
  });

  it("says when the last agent was seen where none is online", async () => {
    await open(`${withoutAgent}?view=timeline&task=list&tab=logs`);
    expect(await screen.findByText(/Sealed; last agent seen/)).toBeInTheDocument();
  });

  it("asks before it cancels, with the way out in focus", async () => {
    const { user, world } = await open(`${live}?view=timeline`);
    await user.click(await screen.findByRole("button", { name: "Cancel…" }));
    const dialog = await screen.findByRole("dialog", { name: /Cancel digits #903/ });
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Keep it" })).toHaveFocus());
    await user.click(within(dialog).getByRole("button", { name: "Cancel the run" }));
    await waitFor(() => expect(world.runs.find(({ id }) => id === mockId("run", 903))?.canceledAt).toBeDefined());
    expect((await screen.findAllByText(/^(Canceling|Canceled)$/)).length).toBeGreaterThan(0);
  });

  it("retries what failed and goes live again", async () => {
    const { user } = await open(`${failed}?view=timeline`);
    await user.click(await screen.findByRole("button", { name: "Retry what failed" }));
    expect(await screen.findByText("Live")).toBeInTheDocument();
    expect(screen.getByText("2: retried")).toBeInTheDocument();
  });

  it("that is not there says so", async () => {
    await open(`${workspace}/runs/run_01kb5000000000000000000000`);
    expect(await screen.findByText("Nothing here")).toBeInTheDocument();
  });
});
