import { skipToken, useQuery } from "@connectrpc/connect-query";
import { Badge, Tabs } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Icon } from "@/components/ui/icon";
import { TextLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Notice } from "@/components/ui/notice";
import { StoppedClock, useNow } from "@/components/ui/now";
import { Page, Section } from "@/components/ui/page";
import { StateMark } from "@/components/ui/state-mark";
import { StuckNotice } from "@/features/explain/stuck-notice";
import { useExplanations } from "@/features/explain/use-explanations";
import { isWaiting, whyPending } from "@/features/explain/waiting";
import { WaitingList } from "@/features/explain/waiting-list";
import { LazyGraph } from "@/features/graph/lazy";
import { HistoryButton } from "@/features/history/history-button";
import { TimeSlider } from "@/features/history/time-slider";
import { usePast } from "@/features/history/use-past";
import { RunActions } from "@/features/run/actions";
import { LiveMark } from "@/features/run/live-mark";
import classes from "@/features/run/run.module.css";
import { RunFacts } from "@/features/run/run-head";
import { isTerminal, lookOfRun } from "@/features/run/state";
import { drawnAs, runGraph } from "@/features/run/task-note";
import { TaskPanel } from "@/features/run/task-panel";
import { useRun } from "@/features/run/watch";
import { useShortcuts } from "@/features/shell/shortcut";
import { Timeline } from "@/features/timeline/timeline";
import { RunValues } from "@/features/value/run-values";
import { millis } from "@/format/time";
import { type GetRunResponse, type Run, RunService, type Task } from "@/gen/signalbox/run/v1/run_pb";
import type { RunSearch } from "./runs";

const route = getRouteApi("/in/o/$org/w/$ws/runs/$runId");

export function RunPage() {
  const { runId, org, ws } = route.useParams();
  const { at } = route.useSearch();
  const navigate = route.useNavigate();
  const { query, live } = useRun(runId);
  const run = query.data?.run;
  const past = usePast(runId, at);
  const then = at === undefined ? undefined : past.data?.run;
  const title = run ? `${run.pipeline} #${run.number}` : "Run";
  const goTo = (seq: number | undefined) =>
    void navigate({ search: (before) => ({ ...before, at: seq }), replace: true, resetScroll: false });
  return (
    <Page
      title={title}
      wide
      trail={
        <>
          <TextLink to="/o/$org/w/$ws/runs" params={{ org, ws }}>
            Runs
          </TextLink>
          {run && (
            <>
              {" / "}
              <TextLink to="/o/$org/w/$ws/runs" params={{ org, ws }} search={{ pipeline: run.pipeline, window: "all" }}>
                {run.pipeline}
              </TextLink>
            </>
          )}
        </>
      }
      heading={
        run && (
          <span className={classes.title}>
            {title}
            <StateMark look={lookOfRun(then ?? run)} size="lg" />
            {at === undefined ? <LiveMark state={live} /> : <span className={classes.then}>as it stood then</span>}
          </span>
        )
      }
      actions={
        run &&
        at === undefined && (
          <>
            <RunActions run={run} />
            <HistoryButton onOpen={() => goTo(Math.max(1, Number(run.seq)))} />
          </>
        )
      }
    >
      {run && at !== undefined && (
        <TimeSlider
          run={run}
          at={at}
          busy={past.isPlaceholderData || past.isPending}
          onChange={goTo}
          onClose={() => goTo(undefined)}
        />
      )}
      {at === undefined ? (
        <Loaded query={query} loading={<Rows count={6} height={48} />}>
          {(data) => data.run && <RunBody run={data.run} tasks={data.tasks} />}
        </Loaded>
      ) : (
        <Loaded query={past} loading={<Rows count={6} height={48} />}>
          {(data) =>
            data.run && (
              <StoppedClock value={millis(data.at)}>
                <RunBody run={data.run} tasks={data.tasks} past />
              </StoppedClock>
            )
          }
        </Loaded>
      )}
    </Page>
  );
}

interface RunBodyProps {
  run: Run;
  tasks: GetRunResponse["tasks"];
  /** The run is shown as it was: what only today knows is left out. */
  past?: boolean;
}

function RunBody({ run, tasks, past = false }: RunBodyProps) {
  const { view: asked = "graph", task: name, tab, attempt } = route.useSearch();
  const view = past && asked !== "timeline" ? "graph" : asked;
  const navigate = route.useNavigate();
  const set = (change: RunSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });
  const select = (task: string | undefined) =>
    set({ task, tab: task && tab !== "items" ? tab : undefined, attempt: undefined });
  const task = useTask(run, tasks, name, past);
  const explained = useExplanations(run, tasks, !past);
  const waiting = tasks.filter(isWaiting).length;
  useShortcuts([
    { keys: "1", what: "Show the graph", run: () => set({ view: undefined }) },
    { keys: "2", what: "Show the timeline", run: () => set({ view: "timeline" }) },
    { keys: "3", what: "Show inputs and outputs", run: () => set({ view: "values" }) },
    { keys: "4", what: "Show what waits, and why", run: () => set({ view: "waiting" }) },
    { keys: "f", what: "Go to the next failure", run: () => select(nextFailure(tasks, name)) },
    { keys: "l", what: "Show the task's log", run: () => task && set({ tab: "logs" }) },
    { keys: "Escape", what: "Close the task", run: () => select(undefined) },
  ]);
  return (
    <>
      <RunFacts run={run} />
      {run.reason && isTerminal(run.state) && run.state !== "succeeded" && (
        <Notice tone={run.state === "failed" ? "bad" : "neutral"} icon={run.state === "failed" ? "circleX" : "info"}>
          {run.reason}
        </Notice>
      )}
      {!past && <Pending run={run} />}
      {!past && waiting > 0 && <StuckNotice explanations={explained.data?.tasks ?? []} onSelect={select} />}
      <div className={classes.split} data-open={task !== undefined || undefined}>
        <Section flush>
          <Tabs
            value={view}
            onChange={(value) => set({ view: value === "graph" ? undefined : (value as RunSearch["view"]) })}
            keepMounted={false}
          >
            <Tabs.List px="sm">
              <Tabs.Tab value="graph" leftSection={<Icon name="graph" size={14} />}>
                Graph
              </Tabs.Tab>
              <Tabs.Tab value="timeline" leftSection={<Icon name="timeline" size={14} />}>
                Timeline
              </Tabs.Tab>
              {!past && (
                <>
                  <Tabs.Tab value="values" leftSection={<Icon name="values" size={14} />}>
                    Inputs and outputs
                  </Tabs.Tab>
                  <Tabs.Tab
                    value="waiting"
                    leftSection={<Icon name="hourglass" size={14} />}
                    rightSection={waiting > 0 && <Count waiting={waiting} />}
                  >
                    Waiting
                  </Tabs.Tab>
                </>
              )}
            </Tabs.List>
            <Tabs.Panel value="graph">
              <LiveGraph run={run} tasks={tasks} selected={name} onSelect={select} />
            </Tabs.Panel>
            <Tabs.Panel value="timeline">
              <Timeline run={run} tasks={tasks} selected={name} onSelect={select} />
            </Tabs.Panel>
            <Tabs.Panel value="values" pt="sm">
              <RunValues run={run} />
            </Tabs.Panel>
            <Tabs.Panel value="waiting">
              <WaitingList run={run} some={waiting > 0} query={explained} onSelect={select} />
            </Tabs.Panel>
          </Tabs>
        </Section>
        {task && (
          <TaskPanel
            run={run}
            task={task}
            tasks={tasks}
            tab={tab}
            attempt={attempt}
            onChange={set}
            onSelect={select}
            onClose={() => select(undefined)}
            past={past}
          />
        )}
      </div>
    </>
  );
}

function Count({ waiting }: { waiting: number }) {
  return (
    <Badge size="sm" variant="default" className="sb-num">
      {waiting}
    </Badge>
  );
}

/** Pending says what a run waits for that has not begun. */
function Pending({ run }: { run: Run }) {
  const why = whyPending(run, useNow());
  const { org, ws } = route.useParams();
  if (!why) return null;
  return (
    <Notice tone="wait" icon="hourglass">
      {why}{" "}
      {run.waiting?.blockedBy && (
        <TextLink to="/o/$org/w/$ws/runs/$runId" params={{ org, ws, runId: run.waiting.blockedBy }}>
          Show that run
        </TextLink>
      )}
    </Notice>
  );
}

/** useTask is a task by its path: the run's own answer has no items of maps. */
function useTask(run: Run, tasks: readonly Task[], name: string | undefined, past: boolean): Task | undefined {
  const known = tasks.find((each) => each.name === name);
  const query = useQuery(
    RunService.method.getTask,
    name && !known && !past ? { runId: run.id, task: name } : skipToken,
    {
      refetchInterval: isTerminal(run.state) ? false : 2000,
      retry: false,
    },
  );
  return known ?? (past ? undefined : query.data?.task);
}

interface LiveGraphProps {
  run: Run;
  tasks: readonly Task[];
  selected: string | undefined;
  onSelect: (name: string | undefined) => void;
}

function LiveGraph({ run, tasks, selected, onSelect }: LiveGraphProps) {
  const now = useNow(isTerminal(run.state));
  const graph = runGraph(tasks, now);
  const drawn = new Set([...graph.tasks, ...graph.boxes].map(({ name }) => name));
  return <LazyGraph {...graph} selected={drawnAs(selected, drawn)} onSelect={onSelect} />;
}

/** nextFailure goes through the failed tasks, around the end. */
function nextFailure(tasks: readonly Task[], from: string | undefined): string | undefined {
  const failed = tasks.filter(({ state }) => state === "failed" || state === "tolerated").map(({ name }) => name);
  return failed[(failed.indexOf(from ?? "") + 1) % Math.max(1, failed.length)] ?? from;
}
