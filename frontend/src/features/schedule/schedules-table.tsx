import { Tooltip } from "@mantine/core";
import { Icon } from "@/components/ui/icon";
import { TextLink } from "@/components/ui/link";
import { Moment } from "@/components/ui/moment";
import { StateMark } from "@/components/ui/state-mark";
import { Table } from "@/components/ui/table";
import { useZone } from "@/components/ui/zone";
import { runLook } from "@/features/run/state";
import { usePlace } from "@/features/tenancy/place";
import { millis } from "@/format/time";
import type { Moment as Instant, Schedule } from "@/gen/signalbox/schedule/v1/schedule_pb";
import { PauseSchedule } from "./pause-schedule";
import classes from "./schedule.module.css";
import { fireLook, localText, mineText, rulesText, scheduleLook, whenText, zoneText } from "./when";

/** SchedulesTable lists schedules: when each fires next, and what became of its last fire. */
export function SchedulesTable({ schedules }: { schedules: readonly Schedule[] }) {
  const place = usePlace();
  return (
    <Table
      label="Schedules"
      head={
        <>
          <th data-tight>State</th>
          <th>Schedule</th>
          <th>When</th>
          <th>Next five times, on its clock and on yours</th>
          <th>Last</th>
        </>
      }
    >
      {schedules.map((schedule) => (
        <tr key={schedule.id}>
          <td data-tight>
            <StateMark look={scheduleLook(schedule)} size="sm" />
            {schedule.paused && <PauseNote schedule={schedule} />}
            <div className={classes.action}>
              <PauseSchedule schedule={schedule} />
            </div>
          </td>
          <td>
            <strong>{schedule.name}</strong>
            <div>
              <TextLink to="/o/$org/w/$ws/pipelines/$name" params={{ ...place, name: schedule.pipeline }}>
                {schedule.pipeline}
              </TextLink>
            </div>
            <div className="sb-dim">{schedule.source === "file" ? "in its file" : `by ${schedule.createdBy}`}</div>
          </td>
          <td>
            <code className="sb-mono">{whenText(schedule.spec)}</code>
            <div>{zoneText(schedule.spec)}</div>
            <div className="sb-dim">{rulesText(schedule.spec)}</div>
          </td>
          <td>
            <Times next={schedule.next} paused={schedule.paused} />
          </td>
          <td>
            <Last schedule={schedule} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function PauseNote({ schedule }: { schedule: Schedule }) {
  return (
    <div className={classes.note}>
      {schedule.pauseNote && <div>{schedule.pauseNote}</div>}
      <span className="sb-dim">
        {schedule.pausedBy}, <Moment at={schedule.pausedAt} />
      </span>
    </div>
  );
}

function Times({ next, paused }: { next: readonly Instant[]; paused: boolean }) {
  const zone = useZone();
  if (next.length === 0) return <span className="sb-dim">It does not fire any more.</span>;
  return (
    <ol className={paused ? `${classes.times} sb-dim` : classes.times}>
      {next.map((moment) => (
        <li key={moment.local}>
          <span className="sb-num">{localText(moment)}</span>
          <span className={`${classes.mine} sb-num`}>{mineText(millis(moment.at) ?? 0, zone)}</span>
          {moment.clockChanged && (
            <Tooltip label="By then the schedule's clock has been put forward or back.">
              <span className={classes.clock}>
                <Icon name="clock" size={13} />
                clock changes
              </span>
            </Tooltip>
          )}
        </li>
      ))}
    </ol>
  );
}

function Last({ schedule: { last } }: { schedule: Schedule }) {
  const place = usePlace();
  if (!last) return <span className="sb-dim">not yet</span>;
  if (!last.runId) {
    return (
      <>
        <StateMark look={fireLook(last)} size="sm" />
        <div>
          <Moment at={last.nominal} />
        </div>
        {last.reason && <div className={`${classes.note} sb-dim`}>{last.reason}</div>}
      </>
    );
  }
  return (
    <>
      <StateMark look={runLook(last.runState)} size="sm" />
      <div>
        <TextLink to="/o/$org/w/$ws/runs/$runId" params={{ ...place, runId: last.runId }}>
          #{last.runNumber.toString()}
        </TextLink>{" "}
        <Moment at={last.nominal} />
      </div>
    </>
  );
}
