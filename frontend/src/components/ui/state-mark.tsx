import type { CSSProperties } from "react";
import { Icon, type IconName } from "./icon";
import classes from "./state-mark.module.css";
import { type Tone, toneColor, toneFill } from "./tone";

/** Look is how a state is shown: shape, colour and word, so that no one of them is needed. */
export interface Look {
  label: string;
  tone: Tone;
  icon: IconName;
  /** Something is happening: the icon turns, unless the reader asked for rest. */
  moving?: boolean;
}

interface StateMarkProps {
  look: Look;
  /** `badge` for tables and titles, `inline` in text, `icon` where the word stands elsewhere. */
  kind?: "badge" | "inline" | "icon";
  size?: "sm" | "md" | "lg";
}

const iconSizes = { sm: 13, md: 15, lg: 17 };

export function StateMark({ look, kind = "badge", size = "md" }: StateMarkProps) {
  const style = { "--tone": toneColor(look.tone), "--fill": toneFill(look.tone) } as CSSProperties;
  const icon = (
    <Icon
      name={look.icon}
      size={iconSizes[size]}
      className={look.moving ? "sb-spin" : undefined}
      label={kind === "icon" ? look.label : undefined}
    />
  );
  return (
    <span className={classes.mark} data-kind={kind} data-size={size} style={style}>
      {icon}
      {kind !== "icon" && <span>{look.label}</span>}
    </span>
  );
}
