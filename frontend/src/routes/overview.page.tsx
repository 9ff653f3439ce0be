import { useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useRef } from "react";
import { Command } from "@/components/ui/copy";
import { Empty } from "@/components/ui/empty";
import { TextLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { Checklist } from "@/features/onboarding/checklist";
import { useIsNew } from "@/features/onboarding/progress";
import { useSkipped } from "@/features/onboarding/skip";
import { PoolCards } from "@/features/pool/pool-cards";
import { Figures } from "@/features/run/figures";
import { RunsTable } from "@/features/run/runs-table";
import { usePlace, useWorkspaceAccess } from "@/features/tenancy/place";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";

const RECENT = 8;
const REFRESH_MS = 3000;

/** OverviewPage answers what failed, what waits, whether agents are up, and what it cost. */
export function OverviewPage() {
  const place = usePlace();
  const name = useWorkspaceAccess()?.workspace?.name ?? place.ws;
  const [skipped, setSkipped] = useSkipped(place.org, place.ws);
  // Whoever came while it was new sees the list to its end; it does not vanish with the last tick.
  const wasNew = useRef(false);
  const isNew = useIsNew();
  if (isNew) wasNew.current = true;
  const guide = !skipped && wasNew.current;
  return (
    <Page
      title="Overview"
      note={`What happens in ${name}.`}
      actions={
        skipped &&
        isNew && (
          <Button variant="default" onClick={() => setSkipped(false)}>
            Show the first steps
          </Button>
        )
      }
    >
      {guide && <Checklist onSkip={() => setSkipped(true)} />}
      {isNew === false && <Figures />}
      <RecentRuns quiet={guide} />
      {!guide && <Pools />}
    </Page>
  );
}

/** With `quiet` an empty list shows nothing: the checklist says what to do. */
function RecentRuns({ quiet }: { quiet: boolean }) {
  const place = usePlace();
  const query = useQuery(RunService.method.listRuns, { pageSize: RECENT }, { refetchInterval: REFRESH_MS });
  if (quiet && (query.data?.runs.length ?? 0) === 0) return null;
  return (
    <Section
      title="Recent runs"
      flush
      actions={
        <TextLink to="/o/$org/w/$ws/runs" params={place}>
          All runs
        </TextLink>
      }
    >
      <Loaded query={query} loading={<Rows count={RECENT} />}>
        {({ runs }) =>
          runs.length === 0 ? (
            <Empty
              icon="run"
              title="Every run of a pipeline appears here"
              next={<Command command="signalbox run start hello --watch" what="run command" />}
            >
              Nothing has run in this workspace yet.
            </Empty>
          ) : (
            <RunsTable runs={runs} label="Recent runs" compact />
          )
        }
      </Loaded>
    </Section>
  );
}

function Pools() {
  const place = usePlace();
  const pools = useQuery(PoolService.method.listPools, {}, { refetchInterval: REFRESH_MS });
  const agents = useQuery(PoolService.method.listAgents, {}, { refetchInterval: REFRESH_MS });
  return (
    <Section
      title="Pools"
      actions={
        <TextLink to="/o/$org/w/$ws/pools" params={place}>
          Pools and agents
        </TextLink>
      }
    >
      <Loaded query={pools} loading={<Rows count={1} height={110} />}>
        {(data) =>
          data.pools.length === 0 ? (
            <Empty icon="pool" title="Pools are queues that your agents serve">
              There is none yet; the first agent comes with one.
            </Empty>
          ) : (
            <PoolCards pools={data.pools} agents={agents.data?.agents ?? []} />
          )
        }
      </Loaded>
    </Section>
  );
}
