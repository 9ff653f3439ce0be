import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { AuditService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { open, workspace } from "./open";

const organization = "/o/northwind";

describe("usage", () => {
  it("opens an invoice line to its runs, and a run to its attempts", async () => {
    const { user, address } = await open(`${organization}/usage`);
    await user.click(await screen.findByRole("button", { name: /^Task-minutes/ }));
    await user.click(await screen.findByRole("button", { name: /^fraud-train #901/ }));
    const attempts = await screen.findByRole("table", { name: "Attempts of fraud-train #901" });
    expect(within(attempts).getAllByText("features")).toHaveLength(2);
    expect(address()).toContain("line=task&");
    expect(screen.getByText("$76.33")).toBeInTheDocument();
  });

  it("goes to the month before, and back", async () => {
    const { user, address } = await open(`${organization}/usage?month=2026-01`);
    await user.click(await screen.findByRole("button", { name: "The month before" }));
    expect(await screen.findByRole("heading", { name: "Usage, December 2025" })).toBeInTheDocument();
    expect(address()).toBe(`${organization}/usage?month=2025-12`);
  });
});

describe("keys", () => {
  it("show their secret once", async () => {
    const { user } = await open(`${organization}/keys`);
    await user.click(await screen.findByRole("button", { name: "New key" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByRole("textbox", { name: /^Name/ }), "ci");
    await user.click(within(dialog).getByRole("button", { name: "Create the key" }));
    expect(await screen.findByText(/^sbk_[A-Za-z0-9]{20}/)).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "I have it" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(screen.queryByText(/^sbk_[A-Za-z0-9]{20}/)).toBeNull();
    expect(screen.getByText("ci")).toBeInTheDocument();
  });

  it("are revoked after a question", async () => {
    const { user } = await open(`${organization}/keys`);
    await user.click(await screen.findByRole("button", { name: "Revoke grafana" }));
    await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Revoke it" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Revoke grafana" })).toBeNull());
  });
});

describe("members", () => {
  it("are invited, and the link is shown once", async () => {
    const { user } = await open(`${organization}/members`);
    await user.click(await screen.findByRole("button", { name: "Invite somebody" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByRole("textbox", { name: /^E-mail/ }), "new@northwind.example");
    await user.click(within(dialog).getByRole("button", { name: "Send the invitation" }));
    expect(await within(dialog).findByText(/invite\?token=sbi_/)).toBeInTheDocument();
    expect(
      await screen.findByRole("button", { name: "Withdraw the invitation of new@northwind.example", hidden: true }),
    ).toBeInTheDocument();
  });

  it("are given a role in one workspace", async () => {
    const { user } = await open(`${organization}/members`);
    await user.click(await screen.findByRole("button", { name: "Change the workspace roles of Ingrid Solberg" }));
    await user.click(await screen.findByLabelText("Production", { selector: "input" }));
    await user.keyboard("{ArrowDown}{Enter}");
    // What floats has no place without a layout, and counts as hidden here.
    await user.click(await screen.findByRole("checkbox", { name: "may open logs and values", hidden: true }));
    expect(await screen.findByText("viewer + data", { exact: false })).toBeInTheDocument();
  });

  it("keep their last owner", async () => {
    const { user } = await open(`${organization}/members`);
    await user.click(await screen.findByRole("button", { name: "Remove Mara Lindqvist" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Remove" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("The last owner cannot leave.");
  });
});

describe("the audit log", () => {
  it("is verified on request", async () => {
    const { user } = await open(`${organization}/audit`);
    await user.click(await screen.findByRole("button", { name: "Verify the chain" }));
    expect(await screen.findByText(/Intact: 214 entries/)).toBeInTheDocument();
  });

  it("says where it breaks", async () => {
    const { user } = await open(`${organization}/audit`, {
      services: ({ service }) =>
        service(AuditService, {
          listAuditEntries: () => ({ entries: [{ seq: 1n, action: "key.create" }], nextBefore: 0n }),
          verifyAudit: () => ({ intact: false, entries: 9n, brokenAt: 4n }),
        }),
    });
    await user.click(await screen.findByRole("button", { name: "Verify the chain" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The chain breaks at entry 4");
  });
});

describe("a pool", () => {
  it("is paused with a note that everybody reads", async () => {
    const { user } = await open(`${workspace}/pools/cpu`);
    await user.type(await screen.findByRole("textbox", { name: "Pause with a note" }), "Driver update");
    await user.click(screen.getByRole("button", { name: "Drain and pause the pool" }));
    expect(await screen.findByText(/^Paused: Driver update\. Nothing new starts here; /)).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Resume the pool" }));
    expect(await screen.findByRole("button", { name: "Drain and pause the pool" })).toBeInTheDocument();
  });

  it("says which agent lacks the sealing key, and how it gets it", async () => {
    await open(`${workspace}/pools/gpu-eu`);
    expect(await screen.findByText("signalbox-agent key import < workspace.key")).toBeInTheDocument();
    expect(screen.getByText(/gpu-node-b works only/)).toBeInTheDocument();
  });

  it("loses an agent that is revoked", async () => {
    const { user } = await open(`${workspace}/pools/cpu`);
    await user.click(await screen.findByRole("button", { name: "Revoke worker-1" }));
    await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Revoke it" }));
    expect(await screen.findByText("Revoked")).toBeInTheDocument();
  });
});
