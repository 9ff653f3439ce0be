import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import { HoldSchema, RunSchema, RunService, TaskSchema } from "@/gen/signalbox/run/v1/run_pb";
import { mockId } from "./mock/random";
import type { World } from "./mock/world";
import { open, workspace } from "./open";

const live = `${workspace}/runs/${mockId("run", 903)}`;
const failed = `${workspace}/runs/${mockId("run", 901)}`;

/** young lets the live run have just begun: a minute goes by before its last tasks are reached. */
function young(world: World) {
  const script = world.runs.find(({ id }) => id === mockId("run", 903));
  if (script) script.createdAt = Date.now();
}

describe("what waits", () => {
  it("is listed with its reason, and opens", async () => {
    const { user } = await open(`${live}?view=waiting`, { prepare: young });
    const table = await screen.findByRole("table", { name: "What waits" });
    expect(within(table).getByText(/^It waits for gate \(pending\) \(0 of 1 upstream/)).toBeInTheDocument();
    await user.click(within(table).getByRole("button", { name: "register" }));
    const task = await screen.findByRole("complementary", { name: "Task register" });
    const why = await within(task).findByRole("region", { name: "Why it does not run" });
    expect(why).toHaveTextContent("It waits for gate (pending)");
  });

  it("is nothing when the run has ended", async () => {
    await open(`${failed}?view=waiting`);
    expect(await screen.findByText("The run has ended: nothing waits any more.")).toBeInTheDocument();
  });

  it("is said above all where nothing goes on by itself", async () => {
    const text = "pool gpu is paused: back at noon";
    const hint = "signalbox pool resume gpu";
    await open(`${live}?view=timeline`, {
      services: ({ rpc }) =>
        rpc(RunService.method.explainRun, () => ({
          tasks: ["a", "b"].map((task) => ({ task, state: "ready", reason: "pool_paused", text, hint })),
        })),
    });
    const notice = await screen.findByRole("region", { name: "What holds it up" });
    expect(notice).toHaveTextContent(`a and 1 more:Pool gpu is paused: back at noon.${hint}`);
  });
});

describe("a signal", () => {
  const held = {
    run: create(RunSchema, { id: mockId("run", 903), pipeline: "digits", number: 903n, state: "running", seq: 3n }),
    tasks: [
      create(TaskSchema, {
        name: "labels",
        state: "held",
        kind: "signal",
        hold: create(HoldSchema, { kind: "signal", signal: "labels-ready", signalType: "uri" }),
      }),
    ],
  };

  it("is sent sealed, with its key, to the task that waits for it", async () => {
    const { user, world } = await open(`${live}?view=timeline&task=labels`, {
      services: ({ rpc }) => {
        rpc(RunService.method.getRun, () => held);
        rpc(RunService.method.watchRun, async function* (_, { signal }) {
          yield held;
          await new Promise((done) => signal.addEventListener("abort", done));
        });
      },
    });
    await user.click(await screen.findByRole("button", { name: "Send the signal…" }));
    const dialog = await screen.findByRole("dialog", { name: "Send the signal labels-ready to digits #903" });
    await user.click(within(dialog).getByLabelText("payload"));
    await user.paste("s3://lake/labels");
    await user.click(within(dialog).getByRole("button", { name: "Send it" }));
    await waitFor(() => expect(world.signals).toHaveLength(1));
    const [sent] = world.signals;
    expect(sent?.name).toBe("labels-ready");
    expect(sent?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(sent?.payload?.content.case).toBe("sealed");
  });
});

describe("a signal to a run", () => {
  const plan = {
    name: "digits",
    tasks: [
      { name: "go", signal: { name: "go" } },
      { name: "labels", needs: [0], signal: { name: "labels-ready", type: "uri" } },
    ],
  };
  const withSignals = ({ rpc }: ConnectRouter) =>
    rpc(PipelineService.method.getVersion, () => ({ plan: new TextEncoder().encode(JSON.stringify(plan)) }));

  it("is sent before its task waits, chosen by its name", async () => {
    const { user, world } = await open(`${live}?view=timeline`, { prepare: young, services: withSignals });
    await user.click(await screen.findByRole("button", { name: "Signal…" }));
    const dialog = await screen.findByRole("dialog", { name: /^Send a signal to digits #/ });
    expect(within(dialog).getByText("This signal carries no payload.")).toBeInTheDocument();
    await user.click(within(dialog).getByRole("combobox", { name: "Signal" }));
    await user.click(await screen.findByRole("option", { name: "labels-ready" }));
    expect(
      within(dialog).getByText("The task labels takes it; until that waits, the signal is kept."),
    ).toBeInTheDocument();
    await user.click(within(dialog).getByLabelText("payload"));
    await user.paste("s3://lake/labels");
    await user.click(within(dialog).getByRole("button", { name: "Send it" }));
    await waitFor(() => expect(world.signals).toHaveLength(1));
    expect(world.signals[0]).toMatchObject({ name: "labels-ready", payload: { content: { case: "sealed" } } });
  });

  it("is not offered where no task waits for one", async () => {
    await open(`${live}?view=timeline`, { prepare: young });
    await screen.findByRole("button", { name: "Pause…" });
    expect(screen.queryByRole("button", { name: "Signal…" })).toBeNull();
  });

  it("is not offered once the run has ended", async () => {
    await open(`${failed}?view=timeline`, { services: withSignals });
    await screen.findByRole("button", { name: "Retry what failed" });
    expect(screen.queryByRole("button", { name: "Signal…" })).toBeNull();
  });
});

describe("the history of a run", () => {
  it("shows it as it was, and comes back to now", async () => {
    const { user, address } = await open(`${failed}?at=1&view=timeline`);
    expect(await screen.findByText("as it stood then")).toBeInTheDocument();
    expect(await screen.findByText(/started the run$/)).toBeInTheDocument();
    expect(await screen.findByRole("button", { name: /^extract ?: (Queued|Pending)/ })).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Retry what failed" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "The entry after" }));
    await waitFor(() => expect(address()).toContain("at=2"));
    expect(await screen.findByText(/^extract: try 1 runs on/)).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Back to now" }));
    expect(await screen.findByRole("button", { name: "Retry what failed" })).toBeInTheDocument();
    expect(address()).not.toContain("at=");
  });

  it("opens at the end", async () => {
    const { user } = await open(`${failed}?view=timeline`);
    await user.click(await screen.findByRole("button", { name: "Go back in its history" }));
    const count = await screen.findByText(/^Entry \d+ of \d+$/);
    expect(count.textContent).toMatch(/^Entry (\d+) of \1$/);
  });
});

describe("a resume", () => {
  it("changes a param, sealed, or puts it back, and keeps the others", async () => {
    const asked: { params: { name: string; content: { case?: string } }[]; unset: string[]; dryRun: boolean }[] = [];
    const { user } = await open(`${failed}?view=timeline`, {
      services: ({ rpc }) =>
        rpc(RunService.method.restartRun, (request) => {
          asked.push(request);
          return { tasks: [{ task: "train", reason: "param epochs changed" }] };
        }),
    });
    await user.click(await screen.findByRole("button", { name: "Resume…" }));
    const dialog = await screen.findByRole("dialog", { name: /Resume fraud-train #901/ });
    await user.click(await within(dialog).findByRole("combobox", { name: "Change a param" }));
    await user.click(await screen.findByRole("option", { name: "epochs" }));
    const epochs = await within(dialog).findByLabelText("epochs");
    const start = within(dialog).getByRole("button", { name: "Start the new run" });
    await user.clear(epochs);
    await waitFor(() => expect(asked.at(-1)).toMatchObject({ params: [], unset: ["epochs"], dryRun: true }));
    await user.paste("20");
    expect(await within(dialog).findByText("param epochs changed")).toBeInTheDocument();
    await waitFor(() => expect(start).toBeEnabled());
    await user.click(start);
    await waitFor(() => expect(asked.some(({ dryRun }) => !dryRun)).toBe(true));
    const started = asked.find(({ dryRun }) => !dryRun);
    expect(started?.params.map(({ name, content }) => [name, content.case])).toEqual([["epochs", "sealed"]]);
    expect(started?.unset).toEqual([]);
  });
});
