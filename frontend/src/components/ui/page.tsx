import { Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./page.module.css";

interface PageProps {
  title: string;
  /** In place of the title's plain text, where it needs more than that. */
  heading?: ReactNode;
  /** The way back up, above the title. */
  trail?: ReactNode;
  /** One sentence under the title. */
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}

/** Page is a view with its title, in the document's title too. */
export function Page({ title, heading, trail, note, actions, children, wide = false }: PageProps) {
  return (
    <div className={classes.page} data-wide={wide || undefined}>
      <title>{`${title} · Signalbox`}</title>
      <header className={classes.header}>
        <div className={classes.titles}>
          {trail && <div className={classes.trail}>{trail}</div>}
          <Title order={1}>{heading ?? title}</Title>
          {note && <div className={classes.note}>{note}</div>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  title?: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** The content brings its own padding, as tables do. */
  flush?: boolean;
}

/** Section is a titled card of a page. */
export function Section({ title, note, actions, children, flush = false }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title}>
      {(title || actions) && (
        <div className={classes.sectionHead}>
          <div>
            {title && <Title order={2}>{title}</Title>}
            {note && <div className={classes.sectionNote}>{note}</div>}
          </div>
          {actions && <div className={classes.actions}>{actions}</div>}
        </div>
      )}
      <div className={classes.sectionBody} data-flush={flush || undefined}>
        {children}
      </div>
    </section>
  );
}
