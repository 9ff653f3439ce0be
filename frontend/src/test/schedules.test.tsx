import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { open, workspace } from "./open";

const row = async (name: string) => {
  const cell = await screen.findByText(name);
  const found = cell.closest("tr");
  if (!found) throw new Error(`no row ${name}`);
  return within(found);
};

describe("the schedules", () => {
  it("show the next five times on both clocks, and where the clock changes", async () => {
    await open(`${workspace}/schedules`);
    const nightly = await row("digits-nightly");
    expect(nightly.getAllByRole("listitem")).toHaveLength(5);
    const changed = nightly.getByText("Sun 2027-03-28 03:00 +02:00").closest("li");
    expect(changed).toHaveTextContent("clock changes");
    expect(nightly.getAllByText("clock changes")).toHaveLength(1);
  });

  it("say who paused one and why, and let it fire again", async () => {
    const { user } = await open(`${workspace}/schedules`);
    const paused = await row("fraud-train.1");
    expect(paused.getByText("Paused")).toBeInTheDocument();
    expect(paused.getByText("The source is being migrated")).toBeInTheDocument();
    expect(paused.getByText(/Priya Raman/)).toBeInTheDocument();
    await user.click(paused.getByRole("button", { name: "Resume fraud-train.1" }));
    await user.click(await screen.findByRole("button", { name: "Pause fraud-train.1" }));
    await user.type(await screen.findByRole("textbox", { name: "Why" }), "no data{Enter}");
    expect(await screen.findByText("no data")).toBeInTheDocument();
  });

  it("tell how to make the first one", async () => {
    await open(`${workspace}/schedules`, { scenario: "fresh" });
    expect(await screen.findByText(/signalbox schedule create/)).toBeInTheDocument();
  });

  it("are reached by keys", async () => {
    const { user, address } = await open(workspace);
    await screen.findByRole("table", { name: "Recent runs" });
    await user.keyboard("gs");
    await screen.findByRole("heading", { name: "Schedules" });
    expect(address()).toBe(`${workspace}/schedules`);
  });
});
