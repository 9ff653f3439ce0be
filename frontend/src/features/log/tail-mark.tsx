import { Button } from "@mantine/core";
import { Notice } from "@/components/ui/notice";
import { type Look, StateMark } from "@/components/ui/state-mark";
import { NoAgentNotice } from "@/features/relay/no-agent";
import { plural } from "@/format/count";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { faultOf, hasReason } from "@/rpc/fault";
import { SealError } from "@/seal";
import classes from "./log.module.css";
import type { TailState, TailView } from "./tail";

const looks: Record<TailState, Look> = {
  connecting: { label: "Asking an agent", tone: "neutral", icon: "loader", moving: true },
  asked: { label: "Waiting for the agent", tone: "neutral", icon: "hourglass" },
  live: { label: "Live", tone: "good", icon: "circleDot" },
  reconnecting: { label: "Reconnecting", tone: "wait", icon: "unlink" },
  ended: { label: "Complete", tone: "neutral", icon: "check" },
  failed: { label: "Stopped", tone: "bad", icon: "warning" },
};

/** TailMark says how the log is read, and by whom it was sent. */
export function TailMark({ view }: { view: TailView }) {
  const from = view.agent ? `Sealed by ${view.agent}, opened in this browser` : undefined;
  return (
    <span className={classes.state} title={from} role="status">
      <StateMark look={looks[view.state]} kind="inline" size="sm" />
      {view.count > 0 && <span className="sb-dim sb-num">{plural(view.count, "line")}</span>}
    </span>
  );
}

/** TailNotice says why a log cannot be read, and what to do. */
export function TailNotice({ view, retry }: { view: TailView; retry: () => void }) {
  if (view.state !== "failed") return null;
  if (hasReason(view.error, Reason.NO_AGENT_ONLINE))
    return <NoAgentNotice what="Logs stay with your agents" retry={retry} />;
  const gone = hasReason(view.error, Reason.DATA_GONE);
  const text = view.error instanceof SealError ? view.error.message : faultOf(view.error).text;
  return (
    <div className={classes.notice}>
      <Notice
        tone={gone ? "neutral" : "bad"}
        icon={gone ? "info" : "warning"}
        actions={
          <Button size="compact-xs" variant="default" onClick={retry}>
            Try again
          </Button>
        }
      >
        {gone ? "The agent no longer has this log." : text}
      </Notice>
    </div>
  );
}
