import { useTransport } from "@connectrpc/connect-query";
import { ActionIcon, Button, TextInput, Tooltip } from "@mantine/core";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Icon } from "@/components/ui/icon";
import { useZone } from "@/components/ui/zone";
import { readStream } from "@/features/relay/stream";
import { useMembership } from "@/features/tenancy/place";
import { plural } from "@/format/count";
import { downloadLog } from "./download";
import { findLines, step } from "./find";
import { lineOfHash } from "./hash";
import classes from "./log.module.css";
import { LogRow } from "./log-row";
import { LogTail } from "./tail";
import { TailMark, TailNotice } from "./tail-mark";

const LINE_HEIGHT = 20;
const AT_END_PX = 40;
/** A log of three lines needs no box of forty. */
const LEAST_HEIGHT = 140;
const FRAME = 16;

interface LogViewProps {
  run: string;
  task: string;
  /** The attempt's number. */
  attempt: number;
  /** The attempt still runs: go on reading. */
  follow: boolean;
}

/** useTail reads an attempt's log; the same attempt is read once, however often it is drawn. */
function useTail({ run, task, attempt, follow }: LogViewProps): LogTail {
  const transport = useTransport();
  const organization = useMembership().organization?.id ?? "";
  // A log that was opened while its attempt ran goes on to its end by itself.
  const first = useRef(follow);
  return useMemo(
    () =>
      new LogTail((offset, signal) =>
        readStream(
          { transport, organization, run, signal },
          { kind: "logs", task, attempt, offset, follow: first.current },
        ),
      ),
    [transport, organization, run, task, attempt],
  );
}

/** LogView shows an attempt's log, opened in this browser, line by line and live. */
export function LogView(props: LogViewProps) {
  const tail = useTail(props);
  const view = useSyncExternalStore(tail.subscribe, tail.snapshot);
  const { lines, count, state } = view;
  const zone = useZone();
  const scroll = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const linked = lineOfHash(useLocation().hash);
  const [following, setFollowing] = useState(linked === undefined);
  const [query, setQuery] = useState("");
  const [hit, setHit] = useState<number>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines grow in place; the count of changes says so.
  const found = useMemo(() => findLines(lines, query), [view.changes, query]);

  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 30,
  });

  useEffect(() => {
    if (following && count > 0) virtual.scrollToIndex(count - 1, { align: "end" });
  }, [following, count, virtual]);
  const reachable = linked !== undefined && linked <= count;
  useEffect(() => {
    if (reachable) virtual.scrollToIndex(linked - 1, { align: "center" });
  }, [reachable, linked, virtual]);

  const go = (by: 1 | -1) => {
    const next = step(found, hit, by);
    setHit(next);
    if (next === undefined) return;
    setFollowing(false);
    virtual.scrollToIndex(next, { align: "center" });
  };
  const onScroll = () => {
    const box = scroll.current;
    if (box) setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PX);
  };
  return (
    <div className={classes.log}>
      <div className={classes.bar}>
        <TextInput
          size="xs"
          aria-label="Find in the log"
          placeholder="Find"
          value={query}
          leftSection={<Icon name="search" size={13} />}
          onChange={(event) => {
            setQuery(event.currentTarget.value);
            setHit(undefined);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
          }}
        />
        {query !== "" && (
          <span className={classes.found} role="status">
            {plural(found.length, "line")}
          </span>
        )}
        <span className={classes.spacer} />
        <TailMark view={view} />
        <Tooltip label="Download what was read">
          <ActionIcon
            aria-label="Download the log"
            disabled={count === 0}
            onClick={() => downloadLog(lines, `${props.run}-${props.task}-${props.attempt}.log`)}
          >
            <Icon name="download" />
          </ActionIcon>
        </Tooltip>
      </div>
      <TailNotice view={view} retry={tail.retry} />
      <div
        ref={scroll}
        className={classes.scroll}
        style={{ maxHeight: Math.max(LEAST_HEIGHT, count * LINE_HEIGHT + FRAME) }}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the log scrolls, and keyboards must reach that.
        tabIndex={0}
        hidden={count === 0 && state === "failed"}
        role="log"
        aria-label={`Log of ${props.task}`}
        aria-live="off"
      >
        <div className={classes.lines} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const line = lines[index];
            if (!line) return null;
            return (
              <LogRow
                key={index}
                line={line}
                number={index + 1}
                top={start}
                marked={linked === index + 1}
                hit={hit === index}
                zone={zone}
                onLink={() => {
                  setFollowing(false);
                  void navigate({ to: ".", search: true, hash: `L${index + 1}`, replace: true, resetScroll: false });
                }}
              />
            );
          })}
        </div>
        {count === 0 && state === "ended" && <p className={classes.silent}>This attempt printed nothing.</p>}
        {count === 0 && (state === "live" || state === "asked") && (
          <p className={classes.silent}>Nothing has come from {view.agent || "the agent"} so far.</p>
        )}
      </div>
      {!following && (state === "live" || state === "asked") && (
        <Button
          className={classes.latest}
          size="compact-sm"
          leftSection={<Icon name="arrowDown" size={14} />}
          onClick={() => setFollowing(true)}
        >
          Follow
        </Button>
      )}
    </div>
  );
}
