/**
 * Browsers open few connections to one server, and a stream holds one. A tab
 * that nobody looks at gives its streams back after this long.
 */
const PATIENCE_MS = 30_000;

/** untilVisible waits while the tab is hidden. */
export function untilVisible(stop: AbortSignal): Promise<void> {
  if (!document.hidden || stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener("visibilitychange", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    stop.addEventListener("abort", check, { once: true });
  });
}

/**
 * whileVisible runs a stream that is aborted once the tab has been hidden for a
 * while, or when stop is. The answer says whether hiding ended it.
 */
export async function whileVisible<T>(
  stop: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<{ hidden: true } | { hidden: false; result: T }> {
  const hide = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => hide.abort(), patienceMs);
  };
  watch();
  document.addEventListener("visibilitychange", watch);
  try {
    return { hidden: false, result: await run(AbortSignal.any([stop, hide.signal])) };
  } catch (error) {
    if (hide.signal.aborted && !stop.aborted) return { hidden: true };
    throw error;
  } finally {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", watch);
  }
}
