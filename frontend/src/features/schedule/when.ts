import type { Look } from "@/components/ui/state-mark";
import { formatDuration } from "@/format/duration";
import { formatAbsolute, type Zone } from "@/format/time";
import type { Fire, Moment, Schedule, Spec } from "@/gen/signalbox/schedule/v1/schedule_pb";

/** whenText says in a few words when a schedule fires. */
export function whenText(spec: Spec | undefined): string {
  if (!spec) return "";
  if (spec.cron) return spec.cron;
  if (spec.everyMs > 0n) return `every ${formatDuration(Number(spec.everyMs))}`;
  return spec.dates.join(", ");
}

/** zoneText names the zone that a schedule is written in. */
export function zoneText(spec: Spec | undefined): string {
  return spec?.timezone || "UTC";
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** localText writes a moment as the schedule's clock shows it: `Sun 2026-03-29 03:00 +02:00`. */
export function localText(moment: Pick<Moment, "local">): string {
  const [, day, clock, seconds, offset] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):(\d\d)(Z|[+-]\d\d:\d\d)$/.exec(moment.local) ?? [];
  if (!day) return moment.local;
  const weekday = weekdays[new Date(`${day}T00:00:00Z`).getUTCDay()];
  const shown = seconds === "00" ? clock : `${clock}:${seconds}`;
  return `${weekday} ${day} ${shown} ${offset === "Z" ? "UTC" : offset}`;
}

/** mineText writes a moment as the reader's clock shows it, without seconds that are none. */
export function mineText(at: number, zone: Zone): string {
  return formatAbsolute(at, zone).replace(/(\d\d:\d\d):00 /, "$1 ");
}

/** scheduleLook says whether a schedule fires. */
export function scheduleLook(schedule: Pick<Schedule, "paused" | "next">): Look {
  if (schedule.paused) return { label: "Paused", tone: "wait", icon: "pause" };
  if (schedule.next.length === 0) return { label: "Ended", tone: "quiet", icon: "minus" };
  return { label: "Active", tone: "good", icon: "clock" };
}

const fireLooks: Record<string, Look> = {
  waiting: { label: "Waiting", tone: "wait", icon: "hourglass" },
  starting: { label: "Starting", tone: "run", icon: "loader", moving: true },
  dropped: { label: "Dropped", tone: "quiet", icon: "minus" },
  refused: { label: "Refused", tone: "bad", icon: "shieldX" },
};

/** fireLook is how a fire without a run is shown. */
export function fireLook(fire: Pick<Fire, "state">): Look {
  return fireLooks[fire.state] ?? { label: fire.state, tone: "neutral", icon: "circleDashed" };
}

/** rulesText names what a schedule does that is not the default. */
export function rulesText(spec: Spec | undefined): string {
  return [
    `catch-up ${spec?.catchup || "latest"}`,
    `overlap ${spec?.overlap || "allow"}`,
    spec?.jitterMs ? `jitter ${formatDuration(Number(spec.jitterMs))}` : "",
    spec?.maxRuns ? `at most ${spec.maxRuns} runs` : "",
    spec?.pauseOnFailure ? "pauses on failure" : "",
  ]
    .filter(Boolean)
    .join(" · ");
}
