import type { CSSProperties, ReactNode } from "react";
import { Icon, type IconName } from "./icon";
import classes from "./notice.module.css";
import { type Tone, toneColor, toneFill } from "./tone";

interface NoticeProps {
  tone: Tone;
  icon: IconName;
  children: ReactNode;
  actions?: ReactNode;
  /** Read out at once; for errors that answer what the reader just did. */
  urgent?: boolean;
}

/** Notice is one line that the reader should not miss. */
export function Notice({ tone, icon, children, actions, urgent = false }: NoticeProps) {
  const style = { "--tone": toneColor(tone), "--fill": toneFill(tone) } as CSSProperties;
  return (
    <div className={classes.notice} style={style} role={urgent ? "alert" : undefined}>
      <Icon name={icon} size={16} />
      <div className={classes.text}>{children}</div>
      {actions}
    </div>
  );
}
