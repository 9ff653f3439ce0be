import type { UseQueryResult } from "@tanstack/react-query";
import { Empty } from "@/components/ui/empty";
import { Loaded, Rows } from "@/components/ui/loaded";
import { StateMark } from "@/components/ui/state-mark";
import { Table } from "@/components/ui/table";
import { taskLook } from "@/features/run/state";
import type { ExplainRunResponse } from "@/gen/signalbox/run/v1/explain_pb";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./explain.module.css";
import { Why } from "./why";

/** The most that the server explains at once. */
const MOST = 100;

interface WaitingListProps {
  run: Run;
  /** Whether anything waits at all; the answer may be older. */
  some: boolean;
  query: UseQueryResult<ExplainRunResponse>;
  onSelect: (task: string) => void;
}

/** WaitingList says of each task that waits why it does. */
export function WaitingList({ run, some, query, onSelect }: WaitingListProps) {
  if (!some) {
    return (
      <Empty icon="hourglass" title="What waits appears here, with the reason">
        {run.finishedAt ? "The run has ended: nothing waits any more." : "Every task that may run does."}
      </Empty>
    );
  }
  return (
    <Loaded query={query} loading={<Rows count={3} />}>
      {({ tasks }) => (
        <>
          <Table
            label="What waits"
            head={
              <>
                <th data-tight>Task</th>
                <th data-tight>State</th>
                <th>Why</th>
              </>
            }
          >
            {tasks.map((each) => (
              <tr key={each.task}>
                <td data-tight>
                  <button type="button" className={classes.task} onClick={() => onSelect(each.task)}>
                    {each.task}
                  </button>
                </td>
                <td data-tight>
                  <StateMark look={taskLook(each.state)} size="sm" />
                </td>
                <td>
                  <div className={classes.line}>
                    <Why explained={each} />
                  </div>
                </td>
              </tr>
            ))}
          </Table>
          {tasks.length === MOST && <p className={classes.more}>The first {MOST} are explained here.</p>}
        </>
      )}
    </Loaded>
  );
}
