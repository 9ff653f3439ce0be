import type { Timestamp } from "@bufbuild/protobuf/wkt";

/** Zone is how absolute times are shown; the server only ever sends UTC. */
export type Zone = "local" | "utc";

/** millis turns a wire timestamp into milliseconds; undefined stays undefined. */
export function millis(at: Timestamp | undefined): number | undefined {
  if (!at) return undefined;
  return Number(at.seconds) * 1000 + Math.floor(at.nanos / 1_000_000);
}

const steps: [number, number, string][] = [
  [60_000, 1000, "s"],
  [3_600_000, 60_000, "m"],
  [86_400_000, 3_600_000, "h"],
  [30 * 86_400_000, 86_400_000, "d"],
];

/** formatRelative writes how long ago or ahead a moment is: `just now`, `12s ago`, `in 3h`. */
export function formatRelative(at: number, now: number): string {
  const span = Math.abs(now - at);
  if (span < 5000) return "just now";
  for (const [below, unit, name] of steps) {
    if (span < below) {
      // A day that was just granted reads `in 24h`, not 23.
      return at <= now ? `${Math.floor(span / unit)}${name} ago` : `in ${Math.round(span / unit)}${name}`;
    }
  }
  return formatDay(at, "local");
}

/** formatAbsolute writes a moment to the second, with its zone: `2026-11-20 14:02:10 UTC`. */
export function formatAbsolute(at: number, zone: Zone): string {
  return `${formatDay(at, zone)} ${formatClock(at, zone)} ${zoneName(at, zone)}`;
}

/** formatClock writes the time of day: `14:02:10`. */
export function formatClock(at: number, zone: Zone): string {
  return clocks[zone].format(at);
}

/** formatDay writes a date as ISO does: `2026-11-20`. */
export function formatDay(at: number, zone: Zone): string {
  return days[zone].format(at);
}

function zoneName(at: number, zone: Zone): string {
  if (zone === "utc") return "UTC";
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "local";
}

// Making a formatter costs more than a thousand uses of it.
const clocks = perZone((timeZone) => new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone }));
const days = perZone((timeZone) => new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone }));

function perZone(make: (timeZone: string | undefined) => Intl.DateTimeFormat): Record<Zone, Intl.DateTimeFormat> {
  return { local: make(undefined), utc: make("UTC") };
}
