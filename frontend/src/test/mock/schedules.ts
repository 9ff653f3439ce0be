import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { ScheduleService } from "@/gen/signalbox/schedule/v1/schedule_pb";
import { mockId } from "./random";
import { notFound, pause } from "./refuse";
import type { World } from "./world";

const DAY = 86_400_000;

/** nightly is five nights in Berlin around the one in which the clock is put forward. */
const nightly = [
  { local: "2027-03-26T02:30:00+01:00", clockChanged: false },
  { local: "2027-03-27T02:30:00+01:00", clockChanged: false },
  { local: "2027-03-28T03:00:00+02:00", clockChanged: true },
  { local: "2027-03-29T02:30:00+02:00", clockChanged: false },
  { local: "2027-03-30T02:30:00+02:00", clockChanged: false },
].map((moment) => ({ ...moment, at: timestampFromMs(Date.parse(moment.local)) }));

export function scheduleRoutes(router: ConnectRouter, world: World): void {
  const paused = new Map([["fraud-train.1", "The source is being migrated"]]);
  const names = world.scenario === "full" ? ["digits-nightly", "embeddings.hourly", "fraud-train.1"] : [];
  const show = (name: string) => ({
    id: mockId("sch", name.length),
    name,
    pipeline: name.split(/[.-]/)[0] === "fraud" ? "fraud-train" : (name.split(/[.-]/)[0] ?? ""),
    source: name.includes(".") ? "file" : "api",
    createdBy: "Mara Lindqvist",
    spec: name.includes("hourly")
      ? { everyMs: 3_600_000n, overlap: "drop_new", catchup: "none" }
      : { cron: "30 2 * * *", timezone: "Europe/Berlin", catchup: "all", maxRuns: 0n },
    paused: paused.has(name),
    pauseNote: paused.get(name) ?? "",
    pausedBy: paused.has(name) ? "Priya Raman" : "",
    pausedAt: paused.has(name) ? timestampFromMs(world.startedAt - DAY) : undefined,
    next: name.includes("hourly") ? [1, 2, 3, 4, 5].map((n) => hour(n)) : nightly,
    fired: 41n,
    createdAt: timestampFromMs(world.startedAt - 40 * DAY),
    last: name.includes("hourly")
      ? { nominal: timestampFromMs(world.startedAt - 1_800_000), state: "dropped", reason: "overlap: drop_new" }
      : {
          nominal: timestampFromMs(world.startedAt - DAY / 2),
          state: "started",
          runId: world.runs[0]?.id ?? "",
          runNumber: BigInt(world.runs[0]?.number ?? 1),
          runState: "succeeded",
        },
  });
  const known = (name: string) => {
    if (!names.includes(name)) throw notFound();
    return name;
  };
  router.service(ScheduleService, {
    listSchedules: async () => {
      await pause(70);
      return { schedules: names.map(show) };
    },
    getSchedule: ({ name }) => ({ schedule: show(known(name)), fires: [] }),
    pauseSchedule: ({ name, note }) => {
      paused.set(known(name), note);
      return { schedule: show(name) };
    },
    resumeSchedule: ({ name }) => {
      paused.delete(known(name));
      return { schedule: show(name) };
    },
  });
}

function hour(n: number) {
  const at = Math.ceil(Date.now() / 3_600_000 + n) * 3_600_000;
  return { at: timestampFromMs(at), local: `${new Date(at).toISOString().slice(0, 19)}Z`, clockChanged: false };
}
