import { BareLink } from "@/components/ui/link";
import { StateMark } from "@/components/ui/state-mark";
import { usePlace } from "@/features/tenancy/place";
import type { Agent, Pool } from "@/gen/signalbox/pool/v1/pool_pb";
import classes from "./pool.module.css";
import { poolLook, slotsOf } from "./state";

interface PoolCardsProps {
  pools: readonly Pool[];
  agents: readonly Agent[];
}

/** PoolCards shows each pool's state, how full it is, and what waits. */
export function PoolCards({ pools, agents }: PoolCardsProps) {
  return (
    <div className={classes.cards}>
      {pools.map((pool) => (
        <PoolCard key={pool.id} pool={pool} agents={agents} />
      ))}
    </div>
  );
}

function PoolCard({ pool, agents }: { pool: Pool; agents: readonly Agent[] }) {
  const place = usePlace();
  const slots = slotsOf(pool, agents);
  const full = slots === 0 ? 0 : Math.min(100, (100 * pool.leased) / slots);
  return (
    <article className={classes.card}>
      <div className={classes.cardHead}>
        <BareLink to="/o/$org/w/$ws/pools/$name" params={{ ...place, name: pool.name }} className={classes.cardName}>
          {pool.name}
        </BareLink>
        <StateMark look={poolLook(pool)} size="sm" />
      </div>
      <dl className={classes.numbers}>
        <div>
          <dt>Slots in use</dt>
          <dd>
            {pool.leased}
            <span className="sb-dim"> / {slots}</span>
          </dd>
        </div>
        <div>
          <dt>Waiting</dt>
          <dd>{pool.ready}</dd>
        </div>
        <div>
          <dt>Agents</dt>
          <dd>{pool.agentsOnline}</dd>
        </div>
      </dl>
      <div className={classes.bar} aria-hidden="true">
        <span className={classes.fill} style={{ width: `${full}%` }} />
      </div>
      {pool.paused && pool.pauseNote && <span className={classes.note}>{pool.pauseNote}</span>}
    </article>
  );
}
