import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { RunService, type StartRunRequest } from "@/gen/signalbox/run/v1/run_pb";
import { inspect } from "@/seal";
import { mockId } from "./mock/random";
import { mockKey } from "./mock/workspace-key";
import { open, workspace } from "./open";

describe("starting a run", () => {
  it("seals what was not declared open, before it leaves", async () => {
    const requests: StartRunRequest[] = [];
    const { user } = await open(`${workspace}/pipelines/fraud-train?view=versions&start=new`, {
      services: ({ service }) =>
        service(RunService, {
          startRun: (request) => {
            requests.push(request);
            return { run: { id: mockId("run", 903) }, created: true };
          },
        }),
    });
    const dialog = await screen.findByRole("dialog", { name: "Start a run: fraud-train" });
    await user.type(await within(dialog).findByRole("textbox", { name: "epochs" }), "42");
    await user.type(within(dialog).getByRole("textbox", { name: "min_auc" }), "0.8");
    await user.click(within(dialog).getByRole("button", { name: "Start the run" }));
    await waitFor(() => expect(requests).toHaveLength(1));
    const [minAuc, epochs] = ["min_auc", "epochs"].map((name) =>
      requests[0]?.params.find((value) => value.name === name),
    );
    expect(new TextDecoder().decode(minAuc?.content.value)).toBe("0.8");
    expect(epochs?.content.case).toBe("sealed");
    expect(inspect(epochs?.content.value ?? new Uint8Array()).kid).toBe(mockKey()?.kid);
    expect(new TextDecoder().decode(epochs?.content.value)).not.toContain("42");
    expect(requests[0]?.idempotencyKey).toHaveLength(36);
  });

  it("does not send what is wrong", async () => {
    const { user } = await open(`${workspace}/pipelines/fraud-train?view=versions&start=new`);
    const dialog = await screen.findByRole("dialog", { name: "Start a run: fraud-train" });
    await user.type(await within(dialog).findByRole("textbox", { name: "epochs" }), "501");
    expect(within(dialog).getByText("At most 500.")).toBeInTheDocument();
    await user.click(within(dialog).getByRole("button", { name: "Start the run" }));
    expect(screen.getByRole("dialog", { name: "Start a run: fraud-train" })).toBeInTheDocument();
  });

  it("again is filled with what that run was given, opened here", async () => {
    await open(`${workspace}/pipelines/fraud-train?view=versions&start=${mockId("run", 901)}`);
    const dialog = await screen.findByRole("dialog", { name: "Run again: fraud-train" });
    expect(await within(dialog).findByText("Filled with the values of fraud-train #901.")).toBeInTheDocument();
    expect(within(dialog).getByRole("textbox", { name: "dataset" })).toHaveValue("s3://lake/transactions/latest");
    expect(within(dialog).getByRole("textbox", { name: "epochs" })).toHaveValue("10");
  });
});
