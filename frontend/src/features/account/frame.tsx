import { Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Logo } from "@/components/ui/logo";
import classes from "./frame.module.css";
import { Panel } from "./panel";

interface FrameProps {
  title: string;
  note?: ReactNode;
  children: ReactNode;
  /** Under the form: the way to its neighbour. */
  foot?: ReactNode;
}

/** Frame is the page around the forms before one has an organization. */
export function Frame({ title, note, children, foot }: FrameProps) {
  return (
    <div className={classes.frame}>
      <title>{`${title} · Signalbox`}</title>
      <aside className={classes.side} aria-hidden="true">
        <Panel />
      </aside>
      <main className={classes.main}>
        <div className={classes.form}>
          <div className={classes.brand}>
            <Logo size={30} />
            <span>Signalbox</span>
          </div>
          <Title order={1} className={classes.title}>
            {title}
          </Title>
          {note && <p className={classes.note}>{note}</p>}
          {children}
          {foot && <p className={classes.foot}>{foot}</p>}
        </div>
      </main>
    </div>
  );
}
