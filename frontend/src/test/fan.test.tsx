import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { fanRun } from "./mock/fan";
import { mockId } from "./mock/random";
import { open } from "./open";

const run = `/o/northwind/w/research/runs/${fanRun}`;

describe("a run whose tasks came into being", () => {
  it("shows a map as one station, a group as a box, and a loop with its passes", async () => {
    await open(run);
    expect(await screen.findByLabelText("train: Failed, 40/40, 2 failed, 7 reused")).toBeInTheDocument();
    expect(screen.getByLabelText("publish: Succeeded, 2/2")).toBeInTheDocument();
    expect(screen.getByLabelText(/^publish\/upload: Succeeded/)).toBeInTheDocument();
    expect(screen.getByLabelText("search: Succeeded, 3 passes")).toBeInTheDocument();
    expect(screen.queryByLabelText(/^search\[0\]/)).toBeNull();
  });

  it("has a bar for a map, a group and a loop, from the first start to the last end", async () => {
    await open(`${run}?view=timeline`);
    const rows = await screen.findByRole("list", { name: "Tasks by time" });
    const row = (name: RegExp) => within(rows).getByRole("button", { name });
    expect(row(/^train ?: Failed, took 18s with all its parts/)).toHaveTextContent(/18s$/);
    expect(row(/^search ?: Succeeded, took 6s with all its parts/)).toBeInTheDocument();
    expect(row(/^publish ?: Succeeded, took 5s with all its parts/)).toBeInTheDocument();
    expect(row(/^publish\/pack ?: Succeeded, ran 3s, waited/)).toBeInTheDocument();
    expect(screen.getByRole("list", { name: "Legend" })).toHaveTextContent("a map, loop or group");
  });

  it("lists the items of a map, by state, and opens one", async () => {
    const { user } = await open(`${run}?view=timeline&task=train`);
    const panel = await screen.findByRole("complementary", { name: "Task train" });
    expect(await within(panel).findByRole("button", { name: /train\[0\]/ })).toBeInTheDocument();
    expect(within(panel).getByText("40 tasks")).toBeInTheDocument();
    await user.click(within(panel).getByRole("combobox", { name: "State of the items" }));
    await user.click(await screen.findByRole("option", { name: "Failed" }));
    expect(await within(panel).findByText("2 tasks")).toBeInTheDocument();
    await user.click(within(panel).getByRole("button", { name: /train\[17\]/ }));
    const item = await screen.findByRole("complementary", { name: "Task train[17]" });
    expect(await within(item).findByText("Try 1")).toBeInTheDocument();
    await user.click(within(item).getByRole("button", { name: "train" }));
    expect(await screen.findByRole("complementary", { name: "Task train" })).toBeInTheDocument();
  });

  it("leads from a reused task to the run that ran it", async () => {
    await open(`${run}?view=timeline&task=split`);
    const link = await screen.findByRole("link", { name: "the run that ran it" });
    expect(link).toHaveAttribute("href", `/o/northwind/w/research/runs/${mockId("run", 901)}`);
  });

  it("says what a resume would run, and starts it", async () => {
    const { user, world } = await open(`${run}?view=timeline`);
    const before = world.runs.length;
    await user.click(await screen.findByRole("button", { name: "Resume…" }));
    const dialog = await screen.findByRole("dialog", { name: /Resume fraud-train #904/ });
    const plan = await within(dialog).findByRole("list", { name: "What would run" });
    expect(within(plan).getByText(/38 items may be taken over/)).toBeInTheDocument();
    await user.click(within(dialog).getByRole("radio", { name: "Everything" }));
    expect(within(dialog).getByRole("link", { name: "Choose the params…" })).toBeInTheDocument();
    await user.click(within(dialog).getByRole("radio", { name: /^What failed/ }));
    await user.click(await within(dialog).findByRole("button", { name: "Start the new run" }));
    await waitFor(() => expect(world.runs.length).toBe(before + 1));
  });
});
