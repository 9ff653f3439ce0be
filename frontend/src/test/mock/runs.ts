import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { isWaiting } from "@/features/explain/waiting";
import { isTaskTerminal } from "@/features/run/state";
import { millis } from "@/format/time";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { HoldSchema, RunService, type Task } from "@/gen/signalbox/run/v1/run_pb";
import type { Value } from "@/gen/signalbox/run/v1/value_pb";
import { fanOf, fanRun } from "./fan";
import { fold, type RunScript } from "./fold";
import { mockHex } from "./random";
import { notFound, pause, refuse } from "./refuse";
import { scriptOf, type World } from "./world";

const te = new TextEncoder();

export function runRoutes(router: ConnectRouter, world: World): void {
  const find = (id: string): RunScript => {
    const script = world.runs.find((each) => each.id === id);
    if (!script) throw notFound();
    return script;
  };
  const fanned = (script: RunScript) => {
    const { run } = fold(script, Date.now());
    return { run, tasks: fanOf(run, script.createdAt).tasks };
  };
  const allOf = (id: string) => {
    const script = find(id);
    const { run, tasks } = fold(script, Date.now());
    return id === fanRun ? fanOf(run, script.createdAt).all : tasks;
  };
  const here = (context: HandlerContext) => {
    const ws = context.requestHeader.get("Signalbox-Workspace");
    return ws === "research" ? world.runs : [];
  };
  router.service(RunService, {
    startRun: async ({ pipeline, params, labels }) => {
      await pause(250);
      const known = world.pipelines.find((each) => each.pipeline.name === pipeline);
      if (!known) throw notFound();
      const bare = params.find(
        (p) => p.content.case === "openJson" && known.pipeline.params.some((d) => d.name === p.name && !d.open),
      );
      if (bare) throw refuse(Reason.PARAM_NOT_SEALED, Code.InvalidArgument, `the param ${bare.name} must be sealed`);
      const script = scriptOf(known.pipeline, 1000 + world.runs.length, Date.now(), "good");
      script.labels = { ...script.labels, ...labels };
      world.runs.unshift(script);
      return { run: fold(script, Date.now()).run, created: true };
    },
    listTasks: async ({ runId, parent, states, pageSize, pageToken }) => {
      await pause(60);
      const tasks = allOf(runId).filter(
        (task) => task.parent === parent && (states.length === 0 || states.includes(task.state)),
      );
      const start = Number(pageToken || 0);
      const end = start + (pageSize || 100);
      return {
        tasks: tasks.slice(start, end),
        nextPageToken: end < tasks.length ? String(end) : "",
        matching: tasks.length,
      };
    },
    getTask: async ({ runId, task: path }) => {
      await pause(60);
      const task = allOf(runId).find(({ name }) => name === path);
      if (!task) throw notFound();
      return { task };
    },
    restartRun: async ({ runId, dryRun, fromTask }) => {
      await pause(100);
      const script = find(runId);
      const tasks = allOf(runId)
        .filter(({ parent }) => parent === "")
        .map(({ name, state, items }) => ({
          task: name,
          reused: name !== fromTask && ["succeeded", "reused"].includes(state),
          items: items && state === "failed" ? items.succeeded + items.reused : 0,
          reason: name === fromTask ? "from here on" : state === "failed" ? "its items are looked at again" : "",
        }));
      if (dryRun) return { tasks };
      const known = world.pipelines.find(({ pipeline }) => pipeline.name === script.pipeline);
      if (!known) throw notFound();
      const made = scriptOf(known.pipeline, 1000 + world.runs.length, Date.now(), "good");
      world.runs.unshift(made);
      return { run: fold(made, Date.now()).run, created: true, tasks };
    },
    getRun: async ({ id }) => {
      await pause(60);
      if (id === fanRun) return fanned(find(id));
      return held(fold(find(id), Date.now()), world);
    },
    listRuns: async ({ pipeline, states, labels, since, pageSize, pageToken }, context) => {
      await pause(120);
      const now = Date.now();
      const from = millis(since) ?? 0;
      const matching = here(context).filter((script) => {
        if (script.createdAt < from || (pipeline && script.pipeline !== pipeline)) return false;
        if (!labels.every((label) => Object.entries(script.labels).some(([k, v]) => label === `${k}=${v}`)))
          return false;
        return states.length === 0 || states.includes(fold(script, now).run.state);
      });
      const start = Number(pageToken || 0);
      const size = pageSize || 50;
      const runs = matching.slice(start, start + size).map((script) => fold(script, now).run);
      return { runs, nextPageToken: start + size < matching.length ? String(start + size) : "" };
    },
    async *watchRun({ id }, context) {
      const script = find(id);
      let seen = "";
      while (!context.signal.aborted) {
        const state = held(fold(script, Date.now()), world);
        const mark =
          JSON.stringify(state.tasks.map((task) => [task.state, task.attempts.map((a) => a.state)])) + state.run.state;
        if (mark !== seen) yield state;
        seen = mark;
        if (state.run.finishedAt) return;
        await pause(250, context.signal);
      }
    },
    explainRun: async ({ id, task }) => {
      await pause(60);
      const { tasks } = held(fold(find(id), Date.now()), world);
      return { tasks: explained(tasks).filter((each) => task === "" || each.task === task) };
    },
    signalRun: async ({ id, name, key, payload }) => {
      await pause(100);
      world.signals.push({ run: id, name, key, payload });
      return { run: fold(find(id), Date.now()).run };
    },
    cancelRun: ({ id }) => {
      const script = find(id);
      script.canceledAt = Date.now();
      return { run: fold(script, Date.now()).run };
    },
    pauseRun: ({ id, suspend }) => {
      const script = find(id);
      script.paused = suspend ? "suspended" : "paused";
      return { run: fold(script, Date.now()).run };
    },
    resumeRun: ({ id }) => {
      const script = find(id);
      script.paused = undefined;
      return { run: fold(script, Date.now()).run };
    },
    retryRun: ({ id }) => {
      const script = find(id);
      script.generation = (script.generation ?? 1) + 1;
      script.createdAt = Date.now();
      script.canceledAt = undefined;
      for (const task of script.tasks)
        task.attempts = task.attempts.slice(-1).map((each) => ({ ...each, end: "succeeded", reason: "", exitCode: 0 }));
      return { run: fold(script, Date.now()).run };
    },
    getRunValues: async ({ id }) => {
      await pause(150);
      const script = find(id);
      const asking = held(fold(script, Date.now()), world).tasks.filter(({ hold }) => hold?.kind === "approval");
      const messages = asking.map(({ name }) => ({ task: name, message: messageValue() }));
      return { params: paramsOf(script, world), tasks: [...tasksOf(script, world), ...messages] };
    },
  });
}

/** explained says of tasks that wait why they do, in the words of the server. */
function explained(tasks: readonly Task[]) {
  const states = new Map(tasks.map(({ name, state }) => [name, state]));
  return tasks
    .filter((task) => isWaiting(task))
    .map(({ name, state, needs, pool }) => {
      const open = needs.filter((each) => !isTaskTerminal(states.get(each) ?? ""));
      if (state === "held") return { task: name, state, reason: "held", text: "it waits for approval, 1 of 2 so far" };
      if (open.length > 0) {
        const which = open.map((each) => `${each} (${states.get(each)})`).join(", ");
        const text = `it waits for ${which} (${needs.length - open.length} of ${needs.length} upstream tasks have ended)`;
        return { task: name, state, reason: "upstream", text };
      }
      return {
        task: name,
        state,
        reason: "no_agent_online",
        text: `no agent online in pool ${pool} (last seen 2026-11-20 14:02:10 UTC)`,
        hint: `signalbox pool join-token ${pool}`,
      };
    });
}

/** held lets a task of a live run wait for somebody: the first one that nothing has reached. */
function held(folded: ReturnType<typeof fold>, world: World): ReturnType<typeof fold> {
  const task = folded.tasks.find(({ state, exit }) => state === "pending" && exit === "");
  if (folded.run.id !== world.runs[0]?.id || folded.run.finishedAt || !task) return folded;
  task.state = "held";
  task.hold = create(HoldSchema, {
    kind: "approval",
    required: 2,
    by: ["role:admin"],
    notRequester: true,
    since: timestampFromMs(Date.now() - 7_200_000),
    until: timestampFromMs(Date.now() + 79_200_000),
    votes: [
      { actor: "Grace Hopper", at: timestampFromMs(Date.now() - 1_800_000), comment: "AUC is fine.", generation: 1 },
    ],
  });
  return folded;
}

function paramsOf(script: RunScript, world: World) {
  const known = world.pipelines.find(({ pipeline }) => pipeline.name === script.pipeline)?.pipeline;
  return (known?.params ?? []).map((param) =>
    value(String(param.name), String(param.type), param.open === true, param.default ?? "for the record"),
  );
}

function tasksOf(script: RunScript, world: World) {
  const known = world.pipelines.find(({ pipeline }) => pipeline.name === script.pipeline)?.pipeline;
  return fold(script, Date.now())
    .tasks.filter(({ state }) => state === "succeeded")
    .map((task) => {
      const declared = known?.tasks.find(({ name }) => name === task.name);
      return {
        task: task.name,
        attempt: task.attempts.at(-1)?.number ?? 1,
        outputs: (declared?.outputs ?? []).map((o) => value(o.name, o.type, o.open === true, sample(o.name))),
        artifacts: (declared?.artifacts_out ?? []).map((a) => ({
          name: a.name,
          type: a.type,
          digest: mockHex(a.name.length),
          size: 1_482_113n,
          sealedUri: new Uint8Array(160),
        })),
      };
    });
}

/** sample is what the mock's tasks put out. */
export function sample(name: string): unknown {
  const samples: Record<string, unknown> = {
    rows: 1797,
    accuracy: 0.9822,
    auc: 0.9314,
    best: "svm",
    uri: "registry://digits/svm@17",
  };
  return samples[name] ?? "something";
}

function value(name: string, type: string, open: boolean, plain: unknown) {
  const json = te.encode(JSON.stringify(plain));
  const content: Value["content"] = open ? { case: "openJson", value: json } : { case: "sealed", value: sealedLike() };
  return { name, type, size: json.length, content };
}

/** asked is what the approvals of the mock ask. */
export const asked = "Promote accuracy 0.9822?";

/** messageValue is a sealed message of an approval. */
export function messageValue() {
  return value("message", "string", false, asked);
}

/** An envelope in shape only: nobody but an agent could open a real one either. */
function sealedLike(): Uint8Array<ArrayBuffer> {
  const bytes = crypto.getRandomValues(new Uint8Array(101 + 32 + 16));
  bytes[0] = 1;
  return bytes;
}
