import { useQuery } from "@connectrpc/connect-query";
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { Icon } from "@/components/ui/icon";
import { Moment } from "@/components/ui/moment";
import { useNow } from "@/components/ui/now";
import { Reasoned } from "@/components/ui/reasoned";
import { isTaskTerminal } from "@/features/run/state";
import { SignalButton } from "@/features/signal/signal-button";
import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import { ApprovalService } from "@/gen/signalbox/run/v1/approval_pb";
import type { Hold, Run, Task } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./approval.module.css";
import { Decide } from "./decide";
import { approverText, whyDenied } from "./denied";
import { MessageOf } from "./message";

interface HoldPanelProps {
  run: Run;
  task: Task;
  hold: Hold;
  /** It is shown as it was: nobody can answer it there. */
  past?: boolean;
}

/** HoldPanel is what a task waits for that needs no agent, and who said what. */
export function HoldPanel({ run, task, hold, past = false }: HoldPanelProps) {
  const now = useNow();
  const until = millis(hold.until);
  const open = task.state === "held" && !past;
  return (
    <section className={classes.hold} aria-label="What it waits for">
      <p className={classes.what}>
        {sentence(hold, isTaskTerminal(task.state))}
        {task.state === "held" && until !== undefined && ` ${formatDuration(Math.max(0, until - now))} left.`}
      </p>
      {hold.message && <p className={classes.what}>“{hold.message}”</p>}
      {hold.kind === "approval" && !hold.message && <MessageOf run={run} task={task} />}
      {hold.votes.length > 0 && (
        <ol className={classes.votes}>
          {hold.votes.map((vote) => (
            <li key={`${vote.actor}/${vote.generation}/${vote.at?.seconds}/${vote.at?.nanos}`} className={classes.vote}>
              <Icon name={vote.rejected ? "circleX" : "circleCheck"} size={14} />
              <strong>{vote.actor}</strong> {vote.rejected ? "rejected" : "approved"} <Moment at={vote.at} />
              {vote.comment && <span>“{vote.comment}”</span>}
            </li>
          ))}
        </ol>
      )}
      {hold.kind === "approval" && open && <Ballot run={run} task={task} />}
      {hold.kind === "signal" && open && <SignalButton run={run} hold={hold} />}
    </section>
  );
}

/** sentence is what a task waits for, or has waited for. */
function sentence(hold: Hold, over: boolean): string {
  const waits = over ? "Waited" : "Waits";
  switch (hold.kind) {
    case "wait":
      return `${waits} for a time to come; no agent ${over ? "was" : "is"} held meanwhile.`;
    case "signal":
      return `${waits} for the signal “${hold.signal}”${hold.signalType ? ` with a ${hold.signalType}` : ""}.`;
  }
  const who = hold.by.length === 0 ? "whoever may approve" : hold.by.map(approverText).join(", ");
  const eyes = hold.notRequester ? " Not whoever asked for the run." : "";
  const count = hold.required === 1 ? "one approval" : `${hold.required} approvals`;
  return `${over ? "Needed" : "Needs"} ${count} by ${who}.${eyes}`;
}

function Ballot({ run, task }: { run: Run; task: Task }) {
  const inbox = useQuery(ApprovalService.method.listApprovals, { pageSize: 200 });
  const [reject, setReject] = useState(false);
  const [open, setOpen] = useState(false);
  const mine = inbox.data?.approvals.find(({ runId, task: name }) => runId === run.id && name === task.name);
  if (!mine) return null;
  const why = whyDenied(mine.denied, mine.by);
  const ask = (no: boolean) => {
    setReject(no);
    setOpen(true);
  };
  return (
    <>
      {why && <p className={classes.what}>{why}</p>}
      <Reasoned why={why}>
        <Group gap="xs">
          <Button
            size="compact-md"
            disabled={why !== undefined}
            onClick={() => ask(false)}
            leftSection={<Icon name="circleCheck" size={15} />}
          >
            Approve…
          </Button>
          <Button
            size="compact-md"
            variant="default"
            disabled={why !== undefined}
            onClick={() => ask(true)}
            leftSection={<Icon name="x" size={15} />}
          >
            Reject…
          </Button>
        </Group>
      </Reasoned>
      <Decide
        question={{ runId: run.id, run: `${run.pipeline} #${run.number}`, task: task.name, message: mine.message }}
        reject={reject}
        opened={open}
        onClose={() => setOpen(false)}
      />
    </>
  );
}
