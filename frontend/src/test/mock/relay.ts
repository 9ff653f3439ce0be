import { Code, type ConnectRouter } from "@connectrpc/connect";
import { millis } from "@/format/time";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { DataKind, RelayService } from "@/gen/signalbox/relay/v1/relay_pb";
import { logsOf, valuesOfRun } from "@/seal";
import { bigEndian, concat, utf8 } from "@/seal/bytes";
import { type Sender, setupSender } from "@/seal/hpke";
import { fold, type RunScript } from "./fold";
import { logLine } from "./log-lines";
import { mockId } from "./random";
import { notFound, pause, refuse } from "./refuse";
import { asked, sample } from "./runs";
import { orgId, type World } from "./world";

/** The agent's side of the relay, played in the browser: real frames, really sealed. */
export function relayRoutes(router: ConnectRouter, world: World): void {
  router.service(RelayService, {
    async *openDataStream(request, context) {
      const script = world.runs.find(({ id }) => id === request.runId);
      if (!script) throw notFound();
      if (script.pipeline === "nightly-embeddings") {
        throw refuse(Reason.NO_AGENT_ONLINE, Code.Unavailable, "no agent of pool gpu-eu is online");
      }
      await pause(180);
      yield {
        event: {
          case: "opened" as const,
          value: { streamId: mockId("str", 1), agentId: mockId("agt", 1), agentName: "worker-1" },
        },
      };
      const what = request.kind === DataKind.VALUES ? valuesOfRun : logsOf(request.task, request.attempt);
      const info = utf8(`signalbox relay v1|${orgId}|${request.runId}|${what}`);
      const seal = new Frames(await setupSender(concat(request.publicKey), info));
      if (request.kind === DataKind.VALUES) {
        yield await seal.frame(JSON.stringify(valuesOf(script, world)), true);
        return;
      }
      yield* logs(seal, script, request.task, request.attempt, request.follow, context.signal);
    },
  });
}

class Frames {
  private seq = 0;

  constructor(private readonly sender: Sender) {}

  async frame(text: string, last: boolean) {
    const seq = this.seq++;
    const plain = concat(new Uint8Array([last ? 1 : 0]), utf8(text));
    const sealed = await this.sender.seal(bigEndian(seq, 8), plain);
    const head = seq === 0 ? concat(new Uint8Array([1]), this.sender.enc) : new Uint8Array([2]);
    return { event: { case: "frame" as const, value: { seq: BigInt(seq), ciphertext: concat(head, sealed), last } } };
  }
}

async function* logs(
  seal: Frames,
  script: RunScript,
  task: string,
  number: number,
  follow: boolean,
  signal: AbortSignal,
) {
  let offset = 0;
  let sent = 0;
  for (;;) {
    const found = fold(script, Date.now()).tasks.find(({ name }) => name === task);
    const attempt = number === 0 ? found?.attempts.at(-1) : found?.attempts[number - 1];
    const from = millis(attempt?.startedAt) ?? millis(attempt?.grantedAt) ?? Date.now();
    const to = millis(attempt?.finishedAt);
    const until = to ?? Date.now();
    const lines: string[] = [];
    for (
      let line = logLine(task, sent, from, until, attempt?.reason);
      line;
      line = logLine(task, sent, from, until, attempt?.reason)
    ) {
      const record = JSON.stringify({ ...line, text: `${line.text}\n`, offset });
      lines.push(record);
      offset += record.length + 1;
      sent++;
    }
    const last = to !== undefined || !follow;
    if (lines.length > 0 || last) yield await seal.frame(lines.map((line) => `${line}\n`).join(""), last);
    if (last || signal.aborted) return;
    await pause(300, signal);
  }
}

function valuesOf(script: RunScript, world: World) {
  const known = world.pipelines.find(({ pipeline }) => pipeline.name === script.pipeline)?.pipeline;
  const { tasks } = fold(script, Date.now());
  return {
    params: Object.fromEntries((known?.params ?? []).map((p) => [String(p.name), p.default ?? "for the record"])),
    tasks: Object.fromEntries(
      tasks.map((task) => {
        const declared = known?.tasks.find(({ name }) => name === task.name);
        const failed = task.attempts.filter(({ state }) => state === "failed");
        return [
          task.name,
          {
            outputs: Object.fromEntries((declared?.outputs ?? []).map((o) => [o.name, sample(o.name)])),
            artifacts: Object.fromEntries(
              (declared?.artifacts_out ?? []).map((a) => [
                a.name,
                `file:///var/lib/signalbox/artifacts/${script.id}/${task.name}/${a.name}`,
              ]),
            ),
            message: asked,
            errors: Object.fromEntries(
              failed.map((a) => [a.number, "ValueError: feature matrix has 64 columns, the scaler was fitted on 63"]),
            ),
          },
        ];
      }),
    ),
  };
}
