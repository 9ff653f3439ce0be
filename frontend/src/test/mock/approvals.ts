import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { ApprovalService } from "@/gen/signalbox/run/v1/approval_pb";
import type { Task } from "@/gen/signalbox/run/v1/run_pb";
import { fold, type RunScript } from "./fold";
import { pause } from "./refuse";
import { messageValue } from "./runs";
import type { World } from "./world";

const te = new TextEncoder();

const asked = [
  { task: "sign-off", denied: "", by: ["role:admin"], required: 2, approved: 1, hours: 26, left: 22 },
  { task: "promote", denied: "FOUR_EYES", by: [], required: 1, approved: 0, hours: 3, left: 0 },
  {
    task: "spend",
    denied: "NOT_AN_APPROVER",
    by: ["user:cfo@northwind.example"],
    required: 1,
    approved: 0,
    hours: 1,
    left: 5,
  },
];

const heldOf = (tasks: readonly Task[]) =>
  tasks.find(({ state, exit }) => state === "pending" && exit === "")?.name ?? "sign-off";

const openMessage = (task: string) => ({
  name: "message",
  type: "string",
  content: { case: "openJson" as const, value: te.encode(JSON.stringify(`Is ${task} fine?`)) },
});

/** approvalRoutes answers with one approval for each of the first runs. */
export function approvalRoutes(router: ConnectRouter, world: World): void {
  const decided = new Set<string>();
  router.service(ApprovalService, {
    listApprovals: async (_, context) => {
      await pause(100);
      const runs = context.requestHeader.get("Signalbox-Workspace") === "research" ? world.runs : [];
      const now = Date.now();
      const approvals = asked
        .map((each, i) => ({ each, i, run: runs[i] && fold(runs[i], now).run }))
        .flatMap(({ each, i, run }) =>
          run && !decided.has(each.task)
            ? [
                {
                  runId: run.id,
                  pipeline: run.pipeline,
                  number: run.number,
                  task: i === 0 ? heldOf(fold(runs[0] as RunScript, now).tasks) : each.task,
                  requester: "Ada Byron",
                  since: timestampFromMs(now - each.hours * 3_600_000),
                  until: each.left ? timestampFromMs(now + each.left * 3_600_000) : undefined,
                  required: each.required,
                  approved: each.approved,
                  by: each.by,
                  notRequester: each.denied === "FOUR_EYES",
                  denied: each.denied,
                  message: i === 0 ? messageValue() : openMessage(each.task),
                },
              ]
            : [],
        );
      return { approvals };
    },
    decideApproval: async ({ runId }) => {
      await pause(150);
      const i = world.runs.findIndex(({ id }) => id === runId);
      decided.add(asked[i]?.task ?? "");
      return {};
    },
  });
}
