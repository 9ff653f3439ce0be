import { useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Empty } from "@/components/ui/empty";
import { Icon } from "@/components/ui/icon";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { Reasoned } from "@/components/ui/reasoned";
import { AgentsTable } from "@/features/pool/agents-table";
import { NewPool } from "@/features/pool/new-pool";
import { PoolCards } from "@/features/pool/pool-cards";
import { useWhyNot } from "@/features/tenancy/place";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";

const REFRESH_MS = 2000;

export function PoolsPage() {
  const pools = useQuery(PoolService.method.listPools, {}, { refetchInterval: REFRESH_MS });
  const agents = useQuery(PoolService.method.listAgents, {}, { refetchInterval: REFRESH_MS });
  const [making, { open, close }] = useDisclosure();
  const why = useWhyNot("pools.admin");
  const button = (
    <Reasoned why={why}>
      <Button
        variant="default"
        onClick={open}
        disabled={why !== undefined}
        leftSection={<Icon name="plus" size={15} />}
      >
        New pool
      </Button>
    </Reasoned>
  );
  return (
    <Page
      title="Pools and agents"
      note="A pool is a queue of tasks that a set of agents serves. Agents run in your network and only call out."
      actions={button}
      wide
    >
      <Loaded query={pools} loading={<Rows count={1} height={140} />}>
        {(data) =>
          data.pools.length === 0 ? (
            <Section>
              <Empty
                icon="pool"
                title="Tasks wait in pools until an agent takes them"
                next={<div style={{ textAlign: "center" }}>{button}</div>}
              >
                There is no pool in this workspace yet.
              </Empty>
            </Section>
          ) : (
            <PoolCards pools={data.pools} agents={agents.data?.agents ?? []} />
          )
        }
      </Loaded>
      <Section title="Agents" flush>
        <Loaded query={agents}>
          {(data) =>
            data.agents.length === 0 ? (
              <Empty icon="agent" title="Agents do the work, in your own network">
                None has joined so far. Open a pool to get the one line that installs one.
              </Empty>
            ) : (
              <AgentsTable agents={data.agents} />
            )
          }
        </Loaded>
      </Section>
      <NewPool opened={making} onClose={close} />
    </Page>
  );
}
