import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, useRef } from "react";
import { Icon } from "@/components/ui/icon";
import { useNow } from "@/components/ui/now";
import { toneColor } from "@/components/ui/tone";
import { taskLook } from "@/features/run/state";
import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import type { Run, Task } from "@/gen/signalbox/run/v1/run_pb";
import { type Kind, type Row, type Segment, ticksOf, timelineOf, totals } from "./model";
import classes from "./timeline.module.css";

const ROW_HEIGHT = 32;
// Beside an open task the axis is some 250 pixels wide: more labels would touch.
const MOST_TICKS = 5;

interface TimelineProps {
  run: Run;
  tasks: readonly Task[];
  selected: string | undefined;
  onSelect: (name: string) => void;
}

/** Timeline shows when each attempt waited and when it worked. */
export function Timeline({ run, tasks, selected, onSelect }: TimelineProps) {
  const finished = millis(run.finishedAt);
  const now = useNow(finished !== undefined);
  const scroll = useRef<HTMLDivElement>(null);
  const { rows, from, to } = timelineOf(tasks, millis(run.createdAt) ?? now, finished, now);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const span = to - from;
  return (
    <div className={classes.timeline}>
      <Legend parts={rows.some(({ segments }) => segments.some(({ kind }) => kind === "parts"))} />
      <div className={classes.axis} aria-hidden="true">
        {ticksOf(span, MOST_TICKS).map((tick) => (
          <span key={tick} className={classes.tick} style={{ left: `${(100 * tick) / span}%` }}>
            {tick === 0 ? "0" : formatDuration(tick)}
          </span>
        ))}
      </div>
      <div ref={scroll} className={classes.scroll}>
        <ul className={classes.rows} style={{ height: virtual.getTotalSize() }} aria-label="Tasks by time">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            const task = tasks[index];
            if (!row || !task) return null;
            return (
              <li key={row.name} className={classes.item} style={{ top: start, height: ROW_HEIGHT }}>
                <TimelineRow
                  row={row}
                  task={task}
                  from={from}
                  span={span}
                  selected={row.name === selected}
                  onSelect={onSelect}
                />
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}

interface TimelineRowProps {
  row: Row;
  task: Task;
  from: number;
  span: number;
  selected: boolean;
  onSelect: (name: string) => void;
}

function TimelineRow({ row, task, from, span, selected, onSelect }: TimelineRowProps) {
  const look = taskLook(task.state);
  const sums = totals(row.segments);
  const took = sums.parts || sums.running;
  return (
    <button type="button" className={classes.row} aria-pressed={selected} onClick={() => onSelect(task.name)}>
      <span className={classes.name} style={{ "--tone": toneColor(look.tone) } as CSSProperties}>
        <Icon name={look.icon} size={14} className={look.moving ? "sb-spin" : undefined} />
        <span>{task.name}</span>
        <span className="sb-hidden">{`: ${look.label}, ${wordsOf(row.segments)}`}</span>
      </span>
      <span className={classes.track} aria-hidden="true">
        {row.segments.map((segment) => (
          <Bar key={`${segment.attempt}${segment.kind}`} segment={segment} from={from} span={span} />
        ))}
      </span>
      <span className={classes.took} aria-hidden="true">
        {took > 0 ? formatDuration(took) : task.items ? `${task.items.done}/${task.items.total}` : ""}
      </span>
    </button>
  );
}

function wordsOf(segments: readonly Segment[]): string {
  if (segments.length === 0) return "not started";
  const { parts, running, queued, backoff } = totals(segments);
  if (parts > 0) return `took ${formatDuration(parts)} with all its parts`;
  return `ran ${formatDuration(running)}, waited ${formatDuration(queued + backoff)}`;
}

function Bar({ segment, from, span }: { segment: Segment; from: number; span: number }) {
  const style = {
    left: `${(100 * (segment.from - from)) / span}%`,
    width: `${(100 * (segment.to - segment.from)) / span}%`,
    "--tone": toneColor(segment.tone),
  } as CSSProperties;
  const what = segment.kind === "parts" ? "From its first start to its last end:" : `Attempt ${segment.attempt}:`;
  const kind = segment.kind === "parts" ? "" : `${kindNames[segment.kind]} `;
  const text = `${what} ${kind}${formatDuration(segment.to - segment.from)}`;
  return (
    <span
      className={classes.bar}
      data-kind={segment.kind}
      data-open={segment.open || undefined}
      style={style}
      title={text}
    />
  );
}

const kindNames: Record<Kind, string> = {
  queued: "queued",
  starting: "starting",
  running: "running",
  backoff: "waiting to retry",
  parts: "a map, loop or group",
};

function Legend({ parts }: { parts: boolean }) {
  const kinds: Kind[] = ["queued", "starting", "running", "backoff", ...(parts ? (["parts"] as const) : [])];
  return (
    <ul className={classes.legend} aria-label="Legend">
      {kinds.map((kind) => (
        <li key={kind}>
          <span className={classes.key} data-kind={kind} />
          {kindNames[kind]}
        </li>
      ))}
      <li className="sb-dim">only running is billed</li>
    </ul>
  );
}
