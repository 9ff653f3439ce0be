import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./run.module.css";

interface TaskProgressProps {
  run: Pick<Run, "tasksTotal" | "tasksDone" | "tasksFailed">;
}

/** TaskProgress says how many tasks have ended, in figures and as a bar. */
export function TaskProgress({ run }: TaskProgressProps) {
  const { tasksTotal: total, tasksDone: done, tasksFailed: failed } = run;
  const share = (n: number) => (total === 0 ? 0 : (100 * n) / total);
  return (
    <span className={classes.progress}>
      <span className={classes.bar} aria-hidden="true">
        <span className={classes.barDone} style={{ width: `${share(done)}%` }} />
        <span className={classes.barFailed} style={{ width: `${share(failed)}%` }} />
      </span>
      <span className="sb-num">
        {done}/{total}
        {failed > 0 && <span className={classes.failed}>, {failed} failed</span>}
      </span>
    </span>
  );
}
