import { memo } from "react";
import { formatClock, type Zone } from "@/format/time";
import { parseAnsi } from "./ansi";
import type { LogLine } from "./line";
import classes from "./log.module.css";

interface LogRowProps {
  line: LogLine;
  number: number;
  top: number;
  /** The permalink points here. */
  marked: boolean;
  hit: boolean;
  zone: Zone;
  onLink: () => void;
}

/** LogRow is a line with its number, which links to it. */
export const LogRow = memo(
  function LogRow({ line, number, top, marked, hit, zone, onLink }: LogRowProps) {
    return (
      <div
        className={classes.line}
        style={{ transform: `translateY(${top}px)` }}
        data-marked={marked || undefined}
        data-hit={hit || undefined}
        data-stream={line.stream}
      >
        <button
          type="button"
          className={classes.number}
          onClick={onLink}
          tabIndex={-1}
          aria-label={`Link to line ${number}`}
        >
          {number}
        </button>
        <span className={classes.time}>{clockOf(line.time, zone)}</span>
        <span className={classes.text}>
          {parseAnsi(line.text).map((span, i) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: spans of one line never move.
              key={i}
              data-color={span.color}
              data-bold={span.bold}
              data-dim={span.dim}
              data-italic={span.italic}
              data-underline={span.underline}
            >
              {span.text}
            </span>
          ))}
        </span>
      </div>
    );
  },
  (a, b) => a.line === b.line && a.top === b.top && a.marked === b.marked && a.hit === b.hit && a.number === b.number,
);

function clockOf(time: string, zone: Zone): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? "" : formatClock(at, zone);
}
