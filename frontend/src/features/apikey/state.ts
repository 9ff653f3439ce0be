import type { Look } from "@/components/ui/state-mark";
import { millis } from "@/format/time";
import type { Key } from "@/gen/signalbox/tenancy/v1/organization_pb";

const SOON_MS = 14 * 86_400_000;

/** keyLook says whether a key still opens anything. */
export function keyLook(key: Pick<Key, "revokedAt" | "expiresAt">, now: number): Look {
  if (key.revokedAt) return { label: "Revoked", tone: "quiet", icon: "ban" };
  const expires = millis(key.expiresAt);
  if (expires !== undefined && expires <= now) return { label: "Expired", tone: "quiet", icon: "clock" };
  if (expires !== undefined && expires - now < SOON_MS) return { label: "Expires soon", tone: "wait", icon: "clock" };
  return { label: "Active", tone: "good", icon: "circleCheck" };
}

/** isLive asks whether a key may still be revoked. */
export function isLive(key: Pick<Key, "revokedAt" | "expiresAt">, now: number): boolean {
  return keyLook(key, now).tone !== "quiet";
}
