import { Tooltip } from "@mantine/core";
import type { ReactElement } from "react";

interface ReasonedProps {
  /** Why the control inside is off; nothing when it is on. */
  why: string | undefined;
  children: ReactElement;
}

/** Reasoned says why a control is disabled, to mouse and keyboard alike. */
export function Reasoned({ why, children }: ReasonedProps) {
  if (!why) return children;
  return (
    <Tooltip label={why} multiline maw={320}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a disabled button takes no focus, its reason must. */}
      <span tabIndex={0} style={{ display: "inline-flex", cursor: "not-allowed" }}>
        {children}
      </span>
    </Tooltip>
  );
}
