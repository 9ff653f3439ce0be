import { Icon } from "@/components/ui/icon";
import { useNoDataReason } from "@/features/value/may-read";
import { OpenedNotice } from "@/features/value/opened-notice";
import { showMessage, textOfJson } from "@/features/value/shown";
import { useOpened, useValues } from "@/features/value/use-values";
import type { Run, Task } from "@/gen/signalbox/run/v1/run_pb";
import type { Value } from "@/gen/signalbox/run/v1/value_pb";
import classes from "./approval.module.css";

interface MessageProps {
  run: Pick<Run, "id" | "seq">;
  task: string;
  value: Value;
}

/** Message is what those who vote are asked, opened in this browser where it is sealed. */
export function Message({ run, task, value }: MessageProps) {
  const why = useNoDataReason();
  const sealed = value.content.case === "sealed";
  const opened = useOpened(run, sealed && why === undefined);
  const shown = showMessage(value, opened.data?.document, task);
  if (shown.state !== "sealed") {
    return (
      <p className={classes.asked}>
        {shown.state === "opened" && (
          <Icon name="lockOpen" size={14} label="Sealed; opened in this browser, never on the server" />
        )}
        <span>“{textOfJson(shown.json)}”</span>
      </p>
    );
  }
  if (why) return <p className={classes.what}>What it asks is sealed. {why}</p>;
  return opened.data ? (
    <p className={classes.what}>What it asks is sealed, and {opened.data.agent} could not open it.</p>
  ) : (
    <OpenedNotice query={opened} needed />
  );
}

/** MessageOf finds what an approval asks among the values of its run; of plain text the task itself tells. */
export function MessageOf({ run, task }: { run: Run; task: Task }) {
  const values = useValues(run, task.name);
  const value = values.data?.tasks.find(({ task: name, message }) => name === task.name && message)?.message;
  return value ? <Message run={run} task={task.name} value={value} /> : null;
}
