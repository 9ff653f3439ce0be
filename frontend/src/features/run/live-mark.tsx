import { type Look, StateMark } from "@/components/ui/state-mark";
import type { LiveState } from "./watch";

const looks: Record<Exclude<LiveState, "ended">, Look> = {
  connecting: { label: "Connecting", tone: "neutral", icon: "circleDashed" },
  live: { label: "Live", tone: "good", icon: "circleDot" },
  reconnecting: { label: "Reconnecting", tone: "wait", icon: "unlink" },
};

/** LiveMark says whether what is on the screen moves by itself. */
export function LiveMark({ state }: { state: LiveState }) {
  if (state === "ended") return null;
  return (
    <span role="status" aria-live="polite">
      <StateMark look={looks[state]} kind="inline" size="sm" />
    </span>
  );
}
