import { Code } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { refuse } from "./mock/refuse";
import { open, workspace } from "./open";

describe("the list of runs", () => {
  it("keeps its filters in the address", async () => {
    const { user, address } = await open(`${workspace}/runs?window=30d`);
    const table = await screen.findByRole("table", { name: "Runs" });
    expect(within(table).getAllByText("Succeeded").length).toBeGreaterThan(5);
    await user.click(screen.getByRole("button", { name: "Failed" }));
    await waitFor(() =>
      expect(within(screen.getByRole("table", { name: "Runs" })).queryByText("Succeeded")).toBeNull(),
    );
    expect(address()).toBe(`${workspace}/runs?state=failed&window=30d`);
    expect(screen.getByRole("button", { name: "Failed" })).toHaveAttribute("aria-pressed", "true");
  });

  it("opens as a shared address says", async () => {
    await open(`${workspace}/runs?pipeline=digits&label=team=vision&window=all`);
    const table = await screen.findByRole("table", { name: "Runs" });
    expect(within(table).queryByText(/fraud-train/)).toBeNull();
    expect(within(table).getAllByText(/digits/).length).toBeGreaterThan(3);
  });

  it("goes on to older runs", async () => {
    const { user } = await open(`${workspace}/runs?window=all`);
    const rows = async () => within(await screen.findByRole("table", { name: "Runs" })).getAllByRole("row").length;
    expect(await rows()).toBe(51);
    await user.click(screen.getByRole("button", { name: "Older runs" }));
    await waitFor(async () => expect(await rows()).toBeGreaterThan(60));
  });

  it("tells filters that leave nothing from a workspace without runs", async () => {
    const { user } = await open(`${workspace}/runs?state=dropped`);
    await user.click(await screen.findByRole("button", { name: "Clear the filters" }));
    expect(await screen.findByRole("table", { name: "Runs" })).toBeInTheDocument();
  });

  it("says what a run is where there was none", async () => {
    await open(`${workspace}/runs?window=all`, { scenario: "fresh" });
    expect(await screen.findByText("Every run of a pipeline appears here")).toBeInTheDocument();
    expect(screen.getByText("signalbox run start hello --watch")).toBeInTheDocument();
  });

  it("says what went wrong, and tries again", async () => {
    let broken = true;
    const { user } = await open(`${workspace}/runs`, {
      services: ({ service }) =>
        service(RunService, {
          listRuns: () => {
            if (broken) throw refuse(Reason.INTERNAL, Code.Internal, "internal error");
            return { runs: [] };
          },
        }),
    });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("This did not load");
    expect(alert).toHaveTextContent("INTERNAL");
    broken = false;
    await user.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("Nothing ran in the last 24 hours")).toBeInTheDocument();
  });
});
