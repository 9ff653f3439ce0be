import { useSyncExternalStore } from "react";
import type { Zone } from "@/format/time";

const key = "signalbox-zone";
const listeners = new Set<() => void>();

function read(): Zone {
  try {
    return localStorage.getItem(key) === "utc" ? "utc" : "local";
  } catch {
    return "local"; // storage is forbidden
  }
}

export function setZone(zone: Zone): void {
  try {
    localStorage.setItem(key, zone);
  } catch {
    return;
  }
  for (const each of listeners) each();
}

/** useZone is the reader's choice of how absolute times are shown. */
export function useZone(): Zone {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, read);
}
