import { ActionIcon, Tabs } from "@mantine/core";
import { Empty } from "@/components/ui/empty";
import { Icon } from "@/components/ui/icon";
import { TextLink } from "@/components/ui/link";
import { useNow } from "@/components/ui/now";
import { StateMark } from "@/components/ui/state-mark";
import { HoldPanel } from "@/features/approval/hold-panel";
import { useExplanation } from "@/features/explain/use-explanations";
import { Why } from "@/features/explain/why";
import { LogView } from "@/features/log/log-view";
import { usePlace } from "@/features/tenancy/place";
import { useNoDataReason } from "@/features/value/may-read";
import { RunValues } from "@/features/value/run-values";
import type { Run, Task } from "@/gen/signalbox/run/v1/run_pb";
import { AttemptPicker } from "./attempt-picker";
import { Attempts } from "./attempts";
import { hasItems } from "./items";
import { ItemsTable } from "./items-table";
import { needsNoAgent, taskLook } from "./state";
import classes from "./task-panel.module.css";
import { whyWaiting } from "./wait";

export type TaskTab = "items" | "attempts" | "logs" | "values";

interface TaskPanelProps {
  run: Run;
  task: Task;
  tasks: readonly Task[];
  /** Undefined: the items where there are any, else the attempts. */
  tab: TaskTab | undefined;
  /** The attempt whose log is shown; the last without it. */
  attempt: number | undefined;
  onChange: (change: { tab?: TaskTab; attempt?: number }) => void;
  onSelect: (path: string) => void;
  onClose: () => void;
  /** It is shown as it was: there is nothing to do, and what an agent would open is of today. */
  past?: boolean;
}

/** TaskPanel is one task of a run: why it is where it is, its tries, its log, its results. */
export function TaskPanel(props: TaskPanelProps) {
  const { run, task, tasks, attempt, onChange, onSelect, onClose, past = false } = props;
  const now = useNow();
  const place = usePlace();
  const items = hasItems(task) && !past;
  const tab = past || (props.tab === "items" && !items) ? "attempts" : (props.tab ?? (items ? "items" : "attempts"));
  const explained = useExplanation(run, task, !past && !task.hold);
  const why = whyWaiting(task, tasks, now);
  const shown = task.attempts.find(({ number }) => number === attempt) ?? task.attempts.at(-1);
  return (
    <aside className={classes.panel} aria-label={`Task ${task.name}`}>
      <header className={classes.head}>
        <div className={classes.names}>
          <h2 className={classes.name}>{task.name}</h2>
          <StateMark look={taskLook(task.state, hasItems(task))} size="sm" />
        </div>
        <ActionIcon onClick={onClose} aria-label="Close the task">
          <Icon name="x" />
        </ActionIcon>
      </header>
      {task.parent && (
        <p className={classes.why}>
          Part of{" "}
          <button type="button" className={classes.link} onClick={() => onSelect(task.parent)}>
            {task.parent}
          </button>
        </p>
      )}
      {task.originRunId && (
        <p className={classes.why}>
          Taken over from{" "}
          <TextLink to="/o/$org/w/$ws/runs/$runId" params={{ ...place, runId: task.originRunId }}>
            the run that ran it
          </TextLink>
          : it did not run again, and cost nothing.
        </p>
      )}
      {explained ? (
        <section className={classes.explained} aria-label="Why it does not run">
          <Icon name="hourglass" size={15} />
          <div>
            <Why explained={explained} />
          </div>
        </section>
      ) : (
        (why || task.reason) && <p className={classes.why}>{why ?? task.reason}</p>
      )}
      {task.childRun && (
        <p className={classes.why}>
          Runs{" "}
          <TextLink to="/o/$org/w/$ws/runs/$runId" params={{ ...place, runId: task.childRun.runId }}>
            {task.childRun.pipeline}#{String(task.childRun.number)}
          </TextLink>
          , which is {task.childRun.state}
        </p>
      )}
      {task.hold && <HoldPanel run={run} task={task} hold={task.hold} past={past} />}
      <Tabs value={tab} onChange={(value) => onChange({ tab: value as TaskTab })} keepMounted={false}>
        <Tabs.List>
          {items && (
            <Tabs.Tab value="items" leftSection={<Icon name="graph" size={14} />}>
              {task.kind === "loop" ? "Passes" : task.kind === "map" ? "Items" : "Tasks"}
            </Tabs.Tab>
          )}
          <Tabs.Tab value="attempts" leftSection={<Icon name="history" size={14} />}>
            Attempts
          </Tabs.Tab>
          {!past && (
            <>
              <Tabs.Tab value="logs" leftSection={<Icon name="logs" size={14} />}>
                Logs
              </Tabs.Tab>
              <Tabs.Tab value="values" leftSection={<Icon name="values" size={14} />}>
                Outputs
              </Tabs.Tab>
            </>
          )}
        </Tabs.List>
        {items && (
          <Tabs.Panel value="items">
            <ItemsTable key={task.name} run={run} task={task} onSelect={onSelect} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="attempts" className={classes.tab}>
          <Attempts run={run} task={task} onLog={(number) => onChange({ tab: "logs", attempt: number })} />
        </Tabs.Panel>
        <Tabs.Panel value="logs" className={classes.tab}>
          {shown ? (
            <>
              <AttemptPicker
                attempts={task.attempts}
                value={shown.number}
                onChange={(number) => onChange({ attempt: number })}
              />
              <Log run={run} task={task} attempt={shown.number} open={shown.finishedAt === undefined} />
            </>
          ) : (
            <Empty icon="logs" title="A task's log starts with its first attempt">
              {why ?? (needsNoAgent(task) ? "It only waits: nothing of it is logged." : "It has not started.")}
            </Empty>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="values">
          <RunValues run={run} task={task.name} />
        </Tabs.Panel>
      </Tabs>
    </aside>
  );
}

function Log({ run, task, attempt, open }: { run: Run; task: Task; attempt: number; open: boolean }) {
  const why = useNoDataReason();
  if (why) {
    return (
      <Empty icon="lock" title="Logs need the permission data.read">
        {why}
      </Empty>
    );
  }
  return <LogView key={`${task.name}/${attempt}`} run={run.id} task={task.name} attempt={attempt} follow={open} />;
}
