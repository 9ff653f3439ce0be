import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Select } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { Empty } from "@/components/ui/empty";
import { Loaded, Rows } from "@/components/ui/loaded";
import { useNow } from "@/components/ui/now";
import { StateMark } from "@/components/ui/state-mark";
import { plural } from "@/format/count";
import { type ListTasksResponse, type Run, RunService, type Task } from "@/gen/signalbox/run/v1/run_pb";
import { progressOf } from "./items";
import classes from "./items.module.css";
import { taskLook, taskStates } from "./state";
import { noteOf } from "./task-note";

const ROW = 34;
const PAGE = 200;

interface ItemsTableProps {
  run: Run;
  task: Task;
  onSelect: (path: string) => void;
}

/** ItemsTable lists what a map, a loop or a group is made of, however much that is. */
export function ItemsTable({ run, task, onSelect }: ItemsTableProps) {
  const [state, setState] = useState<string | null>(null);
  const query = useInfiniteQuery(
    RunService.method.listTasks,
    { runId: run.id, parent: task.name, states: state ? [state] : [], pageSize: PAGE, pageToken: "" },
    { pageParamKey: "pageToken", getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined },
  );
  const { refetch } = query;
  // The run's journal grew: what is shown of it may be another picture now.
  const seen = useRef(run.seq);
  useEffect(() => {
    if (seen.current === run.seq) return;
    seen.current = run.seq;
    void refetch();
  }, [run.seq, refetch]);
  return (
    <div className={classes.items}>
      <div className={classes.head}>
        <span className="sb-num">{progressOf(task)}</span>
        <Select
          size="xs"
          aria-label="State of the items"
          placeholder="Any state"
          clearable
          data={taskStates.map((value) => ({ value, label: taskLook(value).label }))}
          value={state}
          onChange={setState}
        />
      </div>
      <Loaded query={query} loading={<Rows count={6} />}>
        {({ pages }) => (
          <ItemRows
            pages={pages}
            filtered={state !== null}
            onSelect={onSelect}
            onEnd={() => query.hasNextPage && !query.isFetchingNextPage && void query.fetchNextPage()}
            label={`Items of ${task.name}`}
          />
        )}
      </Loaded>
    </div>
  );
}

interface ItemRowsProps {
  pages: readonly ListTasksResponse[];
  filtered: boolean;
  label: string;
  onSelect: (path: string) => void;
  /** The last of the rows that are known came into sight. */
  onEnd: () => void;
}

function ItemRows({ pages, filtered, label, onSelect, onEnd }: ItemRowsProps) {
  const now = useNow();
  const scroll = useRef<HTMLDivElement>(null);
  const rows = pages.flatMap(({ tasks }) => tasks);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 10,
    initialRect: { width: 400, height: 12 * ROW },
  });
  const shown = virtual.getVirtualItems();
  const atEnd = shown.at(-1)?.index === rows.length - 1;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each page.
  useEffect(() => {
    if (atEnd) onEnd();
  }, [atEnd, rows.length]);
  if (rows.length === 0) {
    return filtered ? (
      <Empty icon="filter" title="No item is in this state">
        Choose another one, or any.
      </Empty>
    ) : (
      <Empty icon="graph" title="What this task is made of appears here">
        It has no items so far.
      </Empty>
    );
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section ref={scroll} className={classes.scroll} aria-label={label} tabIndex={0}>
        <ul className={classes.rows} style={{ height: virtual.getTotalSize() }}>
          {shown.map(({ index, start }) => {
            const item = rows[index];
            if (!item) return null;
            return (
              <li key={item.name} className={classes.row} style={{ top: start, height: ROW }}>
                <button type="button" className={classes.button} onClick={() => onSelect(item.name)}>
                  <StateMark look={taskLook(item.state, item.items !== undefined)} size="sm" />
                  <span className={classes.name}>{item.name}</span>
                  <span className={classes.why}>{item.reason || progressOf(item) || noteOf(item, now)}</span>
                </button>
              </li>
            );
          })}
        </ul>
      </section>
      <p className={classes.count}>{plural(pages.at(-1)?.matching ?? rows.length, "task")}</p>
    </>
  );
}
