/**
 * Tone is the family of states a thing's state belongs to. Each has its colour
 * in theme/global.css; the icon and the word beside it say the same.
 */
export type Tone = "neutral" | "wait" | "run" | "good" | "bad" | "odd" | "quiet";

export function toneColor(tone: Tone): string {
  return `var(--sb-tone-${tone})`;
}

export function toneFill(tone: Tone): string {
  return `var(--sb-bg-${tone})`;
}
