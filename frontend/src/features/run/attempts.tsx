import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Empty } from "@/components/ui/empty";
import { Icon } from "@/components/ui/icon";
import { Moment, Span } from "@/components/ui/moment";
import { StateMark } from "@/components/ui/state-mark";
import { useNoDataReason } from "@/features/value/may-read";
import { errorText } from "@/features/value/shown";
import { useOpened } from "@/features/value/use-values";
import { formatDuration } from "@/format/duration";
import type { Attempt, Run, Task } from "@/gen/signalbox/run/v1/run_pb";
import { attemptLook, needsNoAgent } from "./state";
import classes from "./task-panel.module.css";

interface AttemptsProps {
  run: Run;
  task: Task;
  onLog: (attempt: number) => void;
}

/** Attempts lists the tries at a task, the last first: who, how long, and why it ended so. */
export function Attempts({ run, task, onLog }: AttemptsProps) {
  const mayRead = useNoDataReason() === undefined;
  const sealed = task.attempts.some(({ sealedError }) => sealedError.length > 0);
  const opened = useOpened(run, sealed && mayRead);
  if (task.attempts.length === 0) {
    return (
      <Empty icon="history" title="Every try at the task appears here">
        {needsNoAgent(task) ? "It only waits: no agent has to try it." : "It was not handed to an agent so far."}
      </Empty>
    );
  }
  return (
    <ol className={classes.attempts} reversed>
      {[...task.attempts].reverse().map((attempt) => (
        <AttemptCard
          key={`${attempt.generation}.${attempt.number}`}
          attempt={attempt}
          error={errorText(opened.data?.document, task.name, attempt.number)}
          onLog={() => onLog(attempt.number)}
        />
      ))}
    </ol>
  );
}

interface AttemptCardProps {
  attempt: Attempt;
  /** The error text, where an agent has opened it. */
  error: string | undefined;
  onLog: () => void;
}

function AttemptCard({ attempt, error, onLog }: AttemptCardProps) {
  return (
    <li className={classes.attempt}>
      <div className={classes.attemptHead}>
        <strong>Try {attempt.number}</strong>
        <StateMark look={attemptLook(attempt.state)} size="sm" />
        <Button
          size="compact-xs"
          variant="default"
          ml="auto"
          onClick={onLog}
          leftSection={<Icon name="logs" size={13} />}
        >
          Log
        </Button>
      </div>
      {attempt.reason && (
        <p className={classes.reason}>
          {attempt.reason}
          {attempt.cause && <span className="sb-dim"> ({causeNames[attempt.cause] ?? attempt.cause})</span>}
        </p>
      )}
      {attempt.sealedError.length > 0 && (
        <pre className={classes.error} data-sealed={error === undefined || undefined}>
          {error ?? "The error text is sealed."}
        </pre>
      )}
      <dl className={classes.facts}>
        <Fact name="Agent">{attempt.agentName || "–"}</Fact>
        <Fact name="Handed over">
          <Moment at={attempt.grantedAt} />
        </Fact>
        <Fact name="Waited">
          <Span from={attempt.readyAt} to={attempt.grantedAt} />
        </Fact>
        <Fact name="Started in">
          <Span from={attempt.grantedAt} to={attempt.startedAt ?? attempt.finishedAt} />
        </Fact>
        <Fact name="Ran">
          <Span from={attempt.startedAt} to={attempt.finishedAt} />
        </Fact>
        <Fact name="Billed">
          {attempt.finishedAt ? <span className="sb-num">{formatDuration(Number(attempt.billedMs))}</span> : "–"}
        </Fact>
        {attempt.finishedAt && attempt.state !== "lost" && (
          <Fact name="Exit code">
            <span className="sb-num">{attempt.exitCode}</span>
          </Fact>
        )}
      </dl>
    </li>
  );
}

const causeNames: Record<string, string> = {
  user: "counts as a try of yours",
  timeout: "counts as a try of yours",
  infra: "not counted as a try of yours",
  preempted: "not counted as a try of yours",
  policy: "never retried",
  input: "never retried",
};

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
