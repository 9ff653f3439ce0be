import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { Icon } from "@/components/ui/icon";
import { Moment } from "@/components/ui/moment";
import { useNow } from "@/components/ui/now";
import { Above, RowLink, Table } from "@/components/ui/table";
import { useShortcuts } from "@/features/shell/shortcut";
import { usePlace } from "@/features/tenancy/place";
import { showValue, textOfJson } from "@/features/value/shown";
import { formatDuration } from "@/format/duration";
import { millis } from "@/format/time";
import type { Approval } from "@/gen/signalbox/run/v1/approval_pb";
import type { Value } from "@/gen/signalbox/run/v1/value_pb";
import classes from "./approval.module.css";
import { Decide, type Question } from "./decide";
import { approverText, whyDenied } from "./denied";

interface InboxProps {
  approvals: readonly Approval[];
}

/** Inbox lists what waits for somebody, and lets one decide with the keyboard alone. */
export function Inbox({ approvals }: InboxProps) {
  const place = usePlace();
  const now = useNow();
  const [at, setAt] = useState(0);
  const [asked, setAsked] = useState<{ question: Question; reject: boolean }>();
  const [open, setOpen] = useState(false);
  const chosen = Math.min(at, approvals.length - 1);
  const decide = (approval: Approval | undefined, reject: boolean) => {
    if (!approval || whyDenied(approval.denied, approval.by)) return;
    setAsked({ question: questionOf(approval), reject });
    setOpen(true);
  };
  useShortcuts([
    { keys: "j", what: "The next approval", run: () => setAt(Math.min(chosen + 1, approvals.length - 1)) },
    { keys: "k", what: "The approval before", run: () => setAt(Math.max(chosen - 1, 0)) },
    { keys: "a", what: "Approve the marked one", run: () => decide(approvals[chosen], false) },
    { keys: "r", what: "Reject the marked one", run: () => decide(approvals[chosen], true) },
  ]);
  return (
    <>
      <Table
        label="Approvals"
        hover
        head={
          <>
            <th>Task</th>
            <th>Run</th>
            <th>Asks</th>
            <th>Waiting since</th>
            <th>Left</th>
            <th data-num>Approved</th>
            <th>Who may</th>
            <th>Started by</th>
            <th>Your vote</th>
          </>
        }
      >
        {approvals.map((approval, i) => (
          <tr
            key={`${approval.runId}/${approval.task}`}
            className={i === chosen ? classes.chosen : undefined}
            aria-current={i === chosen || undefined}
          >
            <td>
              <RowLink
                to="/o/$org/w/$ws/runs/$runId"
                params={{ ...place, runId: approval.runId }}
                search={{ task: approval.task }}
              >
                {approval.task}
              </RowLink>
            </td>
            <td>
              {approval.pipeline} <span className="sb-dim sb-num">#{approval.number.toString()}</span>
            </td>
            <td className={classes.asks}>
              <Asks value={approval.message} />
            </td>
            <td>
              <Moment at={approval.since} />
            </td>
            <td className="sb-num">{leftOf(approval, now)}</td>
            <td data-num>
              {approval.approved} of {approval.required}
            </td>
            <td>{approval.by.length === 0 ? "Everybody who may approve" : approval.by.map(approverText).join(", ")}</td>
            <td>{approval.requester}</td>
            <td>
              <Above>
                <Votes approval={approval} onVote={(reject) => decide(approval, reject)} />
              </Above>
            </td>
          </tr>
        ))}
      </Table>
      {asked && <Decide question={asked.question} reject={asked.reject} opened={open} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Asks shows plain text; what is sealed is opened where the run or the vote is looked at. */
function Asks({ value }: { value: Value | undefined }) {
  if (!value) return <span className="sb-dim">–</span>;
  const shown = showValue(value, undefined);
  if (shown.state === "sealed") return <span className="sb-dim">sealed</span>;
  const text = textOfJson(shown.json);
  return <span title={text}>{text}</span>;
}

function Votes({ approval, onVote }: { approval: Approval; onVote: (reject: boolean) => void }) {
  const why = whyDenied(approval.denied, approval.by);
  if (why) return <span className="sb-dim">{why}</span>;
  return (
    <Group gap={6} wrap="nowrap">
      <Button size="compact-sm" onClick={() => onVote(false)} leftSection={<Icon name="circleCheck" size={14} />}>
        Approve
      </Button>
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => onVote(true)}
        leftSection={<Icon name="x" size={14} />}
      >
        Reject
      </Button>
    </Group>
  );
}

function questionOf(approval: Approval): Question {
  return {
    runId: approval.runId,
    run: `${approval.pipeline} #${approval.number}`,
    task: approval.task,
    message: approval.message,
  };
}

function leftOf(approval: Approval, now: number): string {
  const until = millis(approval.until);
  return until === undefined ? "–" : formatDuration(Math.max(0, until - now));
}
