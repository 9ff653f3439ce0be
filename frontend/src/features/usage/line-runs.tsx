import { useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Empty } from "@/components/ui/empty";
import { Icon } from "@/components/ui/icon";
import { TextLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Moment } from "@/components/ui/moment";
import { StateMark } from "@/components/ui/state-mark";
import { attemptLook } from "@/features/run/state";
import { usePlace } from "@/features/tenancy/place";
import { formatDuration } from "@/format/duration";
import { type UsageRun, UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import { formatSmall } from "./meter";
import classes from "./usage.module.css";

const PAGE = 20;

interface LineRunsProps {
  month: string;
  meter: string;
  /** The run that is open. */
  run: string | undefined;
  onOpen: (run: string | undefined) => void;
}

/** LineRuns lists the runs behind an invoice line. */
export function LineRuns({ month, meter, run, onOpen }: LineRunsProps) {
  const query = useInfiniteQuery(
    UsageService.method.listUsageRuns,
    { month, meter, pageSize: PAGE, pageToken: "" },
    { pageParamKey: "pageToken", getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined },
  );
  return (
    <div className={classes.runs}>
      <Loaded query={query} loading={<Rows count={4} height={24} />}>
        {({ pages }) => {
          const runs = pages.flatMap((page) => page.runs);
          if (runs.length === 0) {
            return (
              <Empty icon="run" title="The runs behind this line appear here">
                None used this meter in the month.
              </Empty>
            );
          }
          return (
            <>
              {runs.map((each) => (
                <RunLine
                  key={each.runId}
                  run={each}
                  meter={meter}
                  month={month}
                  open={each.runId === run}
                  onToggle={() => onOpen(each.runId === run ? undefined : each.runId)}
                />
              ))}
              {query.hasNextPage && (
                <Button
                  variant="subtle"
                  color="gray"
                  size="xs"
                  loading={query.isFetchingNextPage}
                  onClick={() => query.fetchNextPage()}
                >
                  More runs
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

interface RunLineProps {
  run: UsageRun;
  meter: string;
  month: string;
  open: boolean;
  onToggle: () => void;
}

function RunLine({ run, meter, month, open, onToggle }: RunLineProps) {
  return (
    <>
      <button type="button" className={classes.run} aria-expanded={open} onClick={onToggle}>
        <Icon name={open ? "chevronDown" : "chevronRight"} size={13} />
        <span className={classes.runName}>
          {run.pipeline} <span className="sb-dim sb-num">#{run.number.toString()}</span>
        </span>
        <span className="sb-dim">{run.workspace}</span>
        <span className="sb-dim">
          <Moment at={run.startedAt} />
        </span>
        <span className={classes.runQuantity}>{formatSmall(meter, run.quantity)}</span>
      </button>
      {open && <Attempts run={run} month={month} />}
    </>
  );
}

function Attempts({ run, month }: { run: UsageRun; month: string }) {
  const { org } = usePlace();
  const query = useQuery(UsageService.method.listUsageAttempts, { runId: run.runId, month });
  return (
    <div className={classes.attempts}>
      <Loaded query={query} loading={<Rows count={2} height={20} />}>
        {({ attempts }) => (
          <>
            <table aria-label={`Attempts of ${run.pipeline} #${run.number}`}>
              <thead>
                <tr>
                  <th>Task</th>
                  <th>Try</th>
                  <th>Ended</th>
                  <th>Started</th>
                  <th data-num>Task time</th>
                  <th data-num>GPU time</th>
                </tr>
              </thead>
              <tbody>
                {attempts.map((attempt) => (
                  <tr key={`${attempt.task}/${attempt.attempt}`}>
                    <td>{attempt.task}</td>
                    <td className="sb-num">{attempt.attempt}</td>
                    <td>
                      <StateMark look={attemptLook(attempt.outcome)} kind="inline" size="sm" />
                    </td>
                    <td>
                      <Moment at={attempt.startedAt} />
                    </td>
                    <td data-num>{formatDuration(Number(attempt.taskMs))}</td>
                    <td data-num>{attempt.gpuMs === 0n ? "–" : formatDuration(Number(attempt.gpuMs))}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <TextLink to="/o/$org/w/$ws/runs/$runId" params={{ org, ws: run.workspace, runId: run.runId }}>
              Open the run
            </TextLink>
          </>
        )}
      </Loaded>
    </div>
  );
}
