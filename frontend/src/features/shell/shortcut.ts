import { useEffect, useRef, useSyncExternalStore } from "react";

/** Shortcut is a key, or two in a row (`g r`), and what they do. */
export interface Shortcut {
  keys: string;
  what: string;
  run: () => void;
}

/** How long the second key of a pair may take. */
const PAIR_MS = 1200;

/**
 * match finds what a key press means after the keys before it: a shortcut to
 * run, or the keys to wait with.
 */
export function match(shortcuts: readonly Shortcut[], before: string, key: string): { hit?: Shortcut; wait: string } {
  for (const typed of before === "" ? [key] : [`${before} ${key}`, key]) {
    const hit = shortcuts.find(({ keys }) => keys === typed);
    if (hit) return { hit, wait: "" };
    if (shortcuts.some(({ keys }) => keys.startsWith(`${typed} `))) return { wait: typed };
  }
  return { wait: "" };
}

// Pages add theirs while they are open; the help lists what is there.
let active: readonly Shortcut[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Shortcut[]): void {
  active = next;
  for (const each of listeners) each();
}

/** useShortcuts adds shortcuts for as long as the component is on the screen. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  const signature = shortcuts.map(({ keys, what }) => `${keys}:${what}`).join("|");
  useEffect(() => {
    latest.current = shortcuts;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the list, which is new at each render.
  useEffect(() => {
    const mine = latest.current.map(({ keys, what }, i) => ({ keys, what, run: () => latest.current[i]?.run() }));
    change([...active, ...mine]);
    return () => change(active.filter((each) => !mine.includes(each)));
  }, [signature]);
}

/** useActiveShortcuts lists what keys do on this page. */
export function useActiveShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => active,
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
      target.closest('[role="dialog"]') !== null)
  );
}

/** useKeys listens; the shell calls it once. */
export function useKeys(): void {
  useEffect(() => {
    let before = "";
    let since = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const { hit, wait } = match(active, event.timeStamp - since < PAIR_MS ? before : "", event.key);
      before = wait;
      since = event.timeStamp;
      if (!hit) return;
      event.preventDefault();
      hit.run();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
