import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { open, workspace } from "./open";

const step = (name: string) => {
  const item = screen.getByRole("heading", { name }).closest("li");
  if (!item) throw new Error(`no step ${name}`);
  return within(item);
};

describe("the checklist", () => {
  it("ticks within two seconds of an agent's coming", async () => {
    const { user, world } = await open(workspace, { scenario: "fresh" });
    await user.click(await screen.findByRole("button", { name: "Show the install command" }));
    expect(await screen.findByText(/signalbox-agent start --server .* --token sbj_/)).toBeInTheDocument();
    expect(step("Install an agent").queryByRole("img", { name: "Done" })).toBeNull();
    world.agentAt = Date.now();
    await waitFor(() => expect(step("Install an agent").getByRole("img", { name: "Done" })).toBeInTheDocument(), {
      timeout: 2000,
    });
    expect(screen.getByText("1 agent connected")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Apply the hello example" })).toBeEnabled();
  });

  it("can be put away and brought back", async () => {
    const { user } = await open(workspace, { scenario: "fresh" });
    await user.click(await screen.findByRole("button", { name: "Skip this" }));
    expect(screen.queryByText("Your first run")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Show the first steps" }));
    expect(await screen.findByText("Your first run")).toBeInTheDocument();
  });

  it("is not shown to a team at work", async () => {
    await open(workspace);
    expect(await screen.findByRole("table", { name: "Recent runs" })).toBeInTheDocument();
    expect(screen.queryByText("Your first run")).toBeNull();
    expect(await screen.findByText("$76.33")).toBeInTheDocument();
  });
});

describe("the shell", () => {
  it("goes to pages by keys, and lists the keys", async () => {
    const { user, address } = await open(workspace);
    await screen.findByRole("table", { name: "Recent runs" });
    await user.keyboard("gp");
    await screen.findByRole("heading", { name: "Pipelines" });
    expect(address()).toBe(`${workspace}/pipelines`);
    await user.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Keyboard shortcuts" })).toHaveTextContent("Go to runs");
  });

  it("starts with a way past the menu", async () => {
    const { user } = await open(workspace);
    await screen.findByRole("table", { name: "Recent runs" });
    await user.tab();
    expect(screen.getByRole("link", { name: "Skip to the content" })).toHaveFocus();
  });
});
