import { useQuery } from "@connectrpc/connect-query";
import { getRouteApi } from "@tanstack/react-router";
import { Empty } from "@/components/ui/empty";
import { TextLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Notice } from "@/components/ui/notice";
import { Page, Section } from "@/components/ui/page";
import { StateMark } from "@/components/ui/state-mark";
import { AgentsTable } from "@/features/pool/agents-table";
import { JoinCommand } from "@/features/pool/join-command";
import classes from "@/features/pool/pool.module.css";
import { PoolSettings } from "@/features/pool/pool-settings";
import { SealingKeyCard } from "@/features/pool/sealing-key";
import { poolLook, slotsOf, whyIdle } from "@/features/pool/state";
import runClasses from "@/features/run/run.module.css";
import { type GetPoolResponse, PoolService } from "@/gen/signalbox/pool/v1/pool_pb";

const route = getRouteApi("/in/o/$org/w/$ws/pools/$name");
const REFRESH_MS = 2000;

export function PoolPage() {
  const { name, ...place } = route.useParams();
  const query = useQuery(PoolService.method.getPool, { name }, { refetchInterval: REFRESH_MS });
  const pool = query.data?.pool;
  return (
    <Page
      title={name}
      wide
      trail={
        <TextLink to="/o/$org/w/$ws/pools" params={place}>
          Pools and agents
        </TextLink>
      }
      heading={
        pool && (
          <span className={runClasses.title}>
            {name}
            <StateMark look={poolLook(pool)} size="lg" />
          </span>
        )
      }
    >
      <Loaded query={query} loading={<Rows count={4} height={90} />}>
        {(data) => <PoolBody data={data} />}
      </Loaded>
    </Page>
  );
}

function PoolBody({ data: { pool, agents, sealingKey } }: { data: GetPoolResponse }) {
  if (!pool) return null;
  const why = whyIdle(pool, agents);
  const missing = agents.filter(({ state, holdsSealingKey }) => state === "online" && !holdsSealingKey);
  return (
    <>
      {why && (
        <Notice tone="wait" icon={pool.paused ? "pause" : "hourglass"}>
          {why}
        </Notice>
      )}
      <dl className={runClasses.facts}>
        <div>
          <dt>Slots in use</dt>
          <dd className="sb-num">
            {pool.leased} of {slotsOf(pool, agents)}
            {pool.slots > 0 && <span className="sb-dim"> (bound {pool.slots})</span>}
          </dd>
        </div>
        <div>
          <dt>Waiting</dt>
          <dd className="sb-num">{pool.ready}</dd>
        </div>
        <div>
          <dt>Agents online</dt>
          <dd className="sb-num">{pool.agentsOnline}</dd>
        </div>
      </dl>
      <Section title="Agents" flush>
        {agents.length === 0 ? (
          <Empty icon="agent" title="Agents do the work, in your own network">
            None has joined this pool so far. Install the first one below.
          </Empty>
        ) : (
          <AgentsTable agents={agents} ofPool />
        )}
      </Section>
      <div className={classes.two}>
        <Section title="Install an agent" note="On any machine that reaches this server; nothing calls in.">
          <JoinCommand pool={pool.name} />
        </Section>
        <SealingKeyCard sealingKey={sealingKey} missing={missing.map(({ name }) => name)} />
        <PoolSettings key={`${pool.slots}/${pool.paused}`} pool={pool} />
      </div>
    </>
  );
}
