import { StateMark } from "@/components/ui/state-mark";
import { JoinCommand } from "@/features/pool/join-command";
import { plural } from "@/format/count";
import classes from "./checklist.module.css";

interface AgentStepProps {
  /** The pool to join; without one the first is made on the way. */
  pool: string | undefined;
  online: number;
}

/** AgentStep gives the one line that installs an agent, and waits for it. */
export function AgentStep({ pool, online }: AgentStepProps) {
  if (online > 0) {
    return (
      <p className={classes.text}>
        <StateMark
          kind="inline"
          look={{ label: `${plural(online, "agent")} connected`, tone: "good", icon: "agent" }}
        />
      </p>
    );
  }
  return (
    <>
      <p className={classes.text}>
        An agent is one small program in your own network. It calls out and is never called; code, data, logs and values
        stay with it.
      </p>
      <div className={classes.stack}>
        <JoinCommand pool={pool ?? "default"} createPool={pool === undefined} />
        <span className={classes.waiting}>
          <span className={classes.pulse} aria-hidden="true" />
          Waiting for the first agent. This ticks by itself.
        </span>
      </div>
    </>
  );
}
