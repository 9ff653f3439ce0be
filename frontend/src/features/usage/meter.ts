import { plural } from "@/format/count";
import { formatDuration, formatHours } from "@/format/duration";
import type { Meter, UsageGroup } from "@/gen/signalbox/usage/v1/usage_pb";

/** The meters, in the order in which they are shown. */
export const meters = ["task_ms", "gpu_ms", "task_attempts", "runs"] as const;
export type MeterName = (typeof meters)[number];

export const meterNames: Record<MeterName, string> = {
  task_ms: "Task time",
  gpu_ms: "GPU time",
  task_attempts: "Task attempts",
  runs: "Runs",
};

export function isMeter(name: string): name is MeterName {
  return meters.some((each) => each === name);
}

/** quantityOf finds one meter among several; what is not there is zero. */
export function quantityOf(list: readonly Meter[], name: string): bigint {
  return list.find(({ meter }) => meter === name)?.quantity ?? 0n;
}

/** formatQuantity writes a quantity in the unit of its meter. */
export function formatQuantity(meter: string, quantity: bigint): string {
  if (meter === "task_ms" || meter === "gpu_ms") return formatHours(quantity);
  if (meter === "runs") return plural(quantity, "run");
  if (meter === "task_attempts") return plural(quantity, "attempt");
  return quantity.toLocaleString("en-US");
}

/** formatSmall writes what one run used, where hours would be mostly zeros. */
export function formatSmall(meter: string, quantity: bigint): string {
  return meter.endsWith("_ms") ? formatDuration(Number(quantity)) : formatQuantity(meter, quantity);
}

export interface Bar {
  key: string;
  quantity: bigint;
  /** Height between 0 and 1, of the highest bar. */
  share: number;
}

/** barsOf makes one bar for each key, also for those without any usage. */
export function barsOf(keys: readonly string[], groups: readonly UsageGroup[], meter: string): Bar[] {
  const byKey = new Map(groups.map(({ key, meters: list }) => [key, quantityOf(list, meter)]));
  const quantities = keys.map((key) => byKey.get(key) ?? 0n);
  let most = 0n;
  for (const quantity of quantities) if (quantity > most) most = quantity;
  return keys.map((key, i) => {
    const quantity = quantities[i] ?? 0n;
    return { key, quantity, share: most === 0n ? 0 : Number((quantity * 10_000n) / most) / 10_000 };
  });
}

/** rankOf sorts groups by one meter, the largest first, with their share of the sum. */
export function rankOf(groups: readonly UsageGroup[], meter: string): Bar[] {
  const sum = groups.reduce((total, { meters: list }) => total + quantityOf(list, meter), 0n);
  return groups
    .map(({ key, meters: list }) => {
      const quantity = quantityOf(list, meter);
      return { key, quantity, share: sum === 0n ? 0 : Number((quantity * 10_000n) / sum) / 10_000 };
    })
    .sort((a, b) => (a.quantity === b.quantity ? a.key.localeCompare(b.key) : a.quantity > b.quantity ? -1 : 1));
}
