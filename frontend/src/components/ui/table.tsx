import type { ComponentPropsWithoutRef, ReactNode } from "react";
import { BareLink } from "./link";
import classes from "./table.module.css";

interface TableProps {
  /** What the table lists, for readers that cannot see what stands around it. */
  label: string;
  head: ReactNode;
  children: ReactNode;
  /** Rows lead somewhere. */
  hover?: boolean;
}

/** Table is a list in columns that scrolls by itself where the screen is narrow. */
export function Table({ label, head, children, hover = false }: TableProps) {
  return (
    <div className={classes.scroll}>
      <table className={classes.table} aria-label={label} data-hover={hover || undefined}>
        <thead>
          <tr>{head}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** RowLink makes its whole row lead where it leads. */
export const RowLink: typeof BareLink = ((props: ComponentPropsWithoutRef<typeof BareLink>) => (
  <BareLink {...props} className={classes.rowLink} activeProps={{ className: classes.rowLink }} />
)) as typeof BareLink;

/** Above keeps a control of a row clickable over the row's link. */
export function Above({ children }: { children: ReactNode }) {
  return <span className={classes.above}>{children}</span>;
}
