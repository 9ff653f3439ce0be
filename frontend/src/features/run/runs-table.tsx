import { Labels } from "@/components/ui/labels";
import { Moment, Span } from "@/components/ui/moment";
import { StateMark } from "@/components/ui/state-mark";
import { RowLink, Table } from "@/components/ui/table";
import { usePlace } from "@/features/tenancy/place";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import { TaskProgress } from "./progress";
import classes from "./run.module.css";
import { lookOfRun, reasonOf } from "./state";

interface RunsTableProps {
  runs: readonly Run[];
  label: string;
  /** Leave out what does not fit beside other things. */
  compact?: boolean;
}

/** RunsTable lists runs, newest first, each row leading to its run. */
export function RunsTable({ runs, label, compact = false }: RunsTableProps) {
  const place = usePlace();
  return (
    <Table
      label={label}
      hover
      head={
        <>
          <th data-tight>State</th>
          <th>Run</th>
          <th>Tasks</th>
          {!compact && <th>Labels</th>}
          <th>Started by</th>
          <th>Created</th>
          <th data-num>Took</th>
        </>
      }
    >
      {runs.map((run) => (
        <tr key={run.id}>
          <td data-tight>
            <StateMark look={lookOfRun(run)} size="sm" />
          </td>
          <td>
            <RowLink to="/o/$org/w/$ws/runs/$runId" params={{ ...place, runId: run.id }}>
              {run.pipeline} <span className="sb-dim sb-num">#{run.number.toString()}</span>
            </RowLink>
            {reasonOf(run) && <div className={classes.reason}>{reasonOf(run)}</div>}
          </td>
          <td>
            <TaskProgress run={run} />
          </td>
          {!compact && (
            <td>
              <Labels labels={run.labels} most={3} />
            </td>
          )}
          <td className={classes.actor}>{run.actor || run.cause}</td>
          <td className={classes.when}>
            <Moment at={run.createdAt} />
          </td>
          <td data-num>
            <Span from={run.startedAt} to={run.finishedAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
