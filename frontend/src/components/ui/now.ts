import { createContext, use, useSyncExternalStore } from "react";

// One clock for the whole page: a hundred rows that count seconds share one timer.
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const second = () => Math.floor(Date.now() / 1000) * 1000;
const never = () => () => undefined;

/** StoppedClock stands around what is shown as it was at a moment: there it is always that moment. */
export const StoppedClock = createContext<number | undefined>(undefined);

/** useNow is the time to the second; with `still` it does not tick. */
export function useNow(still = false): number {
  const stopped = use(StoppedClock);
  const now = useSyncExternalStore(still || stopped !== undefined ? never : subscribe, second);
  return stopped ?? now;
}
