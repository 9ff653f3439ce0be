import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon";
import classes from "./loaded.module.css";

interface EmptyProps {
  icon: IconName;
  /** What this place is for. */
  title: string;
  /** Why it is empty. */
  children: ReactNode;
  /** The one next thing to do: a command or a button. */
  next?: ReactNode;
}

/** Empty stands where a list has nothing to show: what it is, why, and what to do next. */
export function Empty({ icon, title, children, next }: EmptyProps) {
  return (
    <div className={classes.blank}>
      <span className={classes.badge}>
        <Icon name={icon} size={20} />
      </span>
      <strong>{title}</strong>
      <p>{children}</p>
      {next && <div className={classes.next}>{next}</div>}
    </div>
  );
}
