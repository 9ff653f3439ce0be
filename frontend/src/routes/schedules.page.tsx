import { useQuery } from "@connectrpc/connect-query";
import { Command } from "@/components/ui/copy";
import { Empty } from "@/components/ui/empty";
import { Loaded } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { SchedulesTable } from "@/features/schedule/schedules-table";
import { ScheduleService } from "@/gen/signalbox/schedule/v1/schedule_pb";

const REFRESH_MS = 10_000;

export function SchedulesPage() {
  const schedules = useQuery(ScheduleService.method.listSchedules, {}, { refetchInterval: REFRESH_MS });
  return (
    <Page title="Schedules" note="They start runs by time: written in a pipeline's file, or made beside it." wide>
      <Section flush>
        <Loaded query={schedules}>
          {(data) =>
            data.schedules.length === 0 ? (
              <Empty
                icon="clock"
                title="Schedules start runs by time"
                next={
                  <Command
                    command={
                      'signalbox schedule create nightly --pipeline PIPELINE --cron "0 2 * * 1-5" --tz Europe/Berlin'
                    }
                    what="command"
                  />
                }
              >
                There is none in this workspace yet. Write one under triggers: in a pipeline's file, or make one here:
              </Empty>
            ) : (
              <SchedulesTable schedules={data.schedules} />
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
