import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { daysOf, monthOf } from "@/format/month";
import { UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import { fold } from "./fold";
import { Random } from "./random";
import { notFound, pause } from "./refuse";
import type { World } from "./world";

const groups: Record<string, string[]> = {
  pipeline: ["fraud-train", "digits", "nightly-embeddings"],
  pool: ["gpu-eu", "cpu"],
  workspace: ["research", "production"],
  "label:team": ["risk", "vision", "search", ""],
};

function meters(weight: number) {
  return [
    { meter: "runs", quantity: BigInt(Math.round(9 * weight)) },
    { meter: "task_attempts", quantity: BigInt(Math.round(74 * weight)) },
    { meter: "task_ms", quantity: BigInt(Math.round(61_300_000 * weight)) },
    { meter: "gpu_ms", quantity: BigInt(Math.round(22_400_000 * weight)) },
  ];
}

export function usageRoutes(router: ConnectRouter, world: World): void {
  const total = world.scenario === "full" ? 21.3 : 0;
  const now = () => timestampFromMs(Date.now() - 40_000);
  router.service(UsageService, {
    getUsage: async ({ month, by }) => {
      await pause(110);
      const of = month || monthOf(Date.now());
      const today = new Date().toISOString().slice(0, 10);
      const random = new Random(of.length + (of.charCodeAt(6) || 0));
      const keys = by === "day" ? daysOf(of).filter((day) => day <= today) : (groups[by] ?? []);
      const weights = keys.map((_, i) => (by === "day" ? 0.3 + random.next() : 1 / (i + 1.4)));
      const sum = weights.reduce((a, b) => a + b, 0) || 1;
      return {
        month: of,
        asOf: now(),
        totals: meters(total),
        groups: total === 0 ? [] : keys.map((key, i) => ({ key, meters: meters((total * (weights[i] ?? 0)) / sum) })),
      };
    },
    previewInvoice: async ({ month }) => {
      await pause(90);
      const line = (
        id: string,
        meter: string,
        text: string,
        quantity: number,
        included: number,
        unit: number,
        cents: number,
      ) => ({
        id,
        meter,
        text,
        quantity: BigInt(quantity),
        included: BigInt(included),
        unitNanoUsd: BigInt(unit),
        amountNanoUsd: BigInt(cents) * 10_000_000n,
        cents: BigInt(cents),
      });
      const lines =
        total === 0
          ? [line("base", "", "Team plan, November", 1, 0, 49_000_000_000, 4900)]
          : [
              line("base", "", "Team plan", 1, 0, 49_000_000_000, 4900),
              line("runs", "runs", "Runs, included (Team)", 192, 1000, 0, 0),
              line("attempts", "task_attempts", "Task attempts at $0.002 (Team)", 1576, 1000, 2_000_000, 115),
              line("task", "task_ms", "Task-minutes at $0.0004 (Team)", 1_305_690_000, 360_000_000, 6667, 630),
              line("gpu", "gpu_ms", "GPU-hours at $0.15 (Team)", 477_120_000, 0, 41_667, 1988),
            ];
      return {
        month: month || monthOf(Date.now()),
        plan: "Team",
        priceBook: 7,
        asOf: now(),
        currency: "USD",
        lines,
        totalCents: lines.reduce((sum, { cents }) => sum + cents, 0n),
      };
    },
    listUsageRuns: async ({ pageToken }) => {
      await pause(120);
      const start = Number(pageToken || 0);
      const page = world.runs.slice(start, start + 20).map((script) => {
        const { run, tasks } = fold(script, Date.now());
        const ms = tasks.flatMap(({ attempts }) => attempts).reduce((sum, { billedMs }) => sum + billedMs, 0n);
        return {
          runId: run.id,
          pipeline: run.pipeline,
          workspace: script.ws,
          number: run.number,
          startedAt: run.startedAt,
          quantity: ms,
        };
      });
      return { runs: page, nextPageToken: start + 20 < world.runs.length ? String(start + 20) : "" };
    },
    listUsageAttempts: async ({ runId }) => {
      await pause(120);
      const script = world.runs.find(({ id }) => id === runId);
      if (!script) throw notFound();
      return {
        attempts: fold(script, Date.now()).tasks.flatMap((task) =>
          task.attempts.map((attempt) => ({
            task: task.name,
            attempt: attempt.number,
            outcome: attempt.state,
            startedAt: attempt.startedAt,
            finishedAt: attempt.finishedAt,
            taskMs: attempt.billedMs,
            gpuMs: task.pool === "gpu-eu" ? attempt.billedMs : 0n,
          })),
        ),
      };
    },
  });
}
