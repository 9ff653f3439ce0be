import { useMutation } from "@connectrpc/connect-query";
import { Button, Tooltip } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "@/components/ui/confirm";
import { Icon } from "@/components/ui/icon";
import { Labels } from "@/components/ui/labels";
import { TextLink } from "@/components/ui/link";
import { Moment } from "@/components/ui/moment";
import { Reasoned } from "@/components/ui/reasoned";
import { StateMark } from "@/components/ui/state-mark";
import { Table } from "@/components/ui/table";
import { usePlace, useWhyNot } from "@/features/tenancy/place";
import { formatBytes, formatCores } from "@/format/bytes";
import { plural } from "@/format/count";
import { type Agent, PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { useInvalidate } from "@/rpc/invalidate";
import classes from "./pool.module.css";
import { agentLook, gpuText } from "./state";

interface AgentsTableProps {
  agents: readonly Agent[];
  /** All are of one pool, which stands elsewhere. */
  ofPool?: boolean;
}

/** AgentsTable lists agents: whether they are there, what they have, what they do. */
export function AgentsTable({ agents, ofPool = false }: AgentsTableProps) {
  const place = usePlace();
  return (
    <Table
      label="Agents"
      head={
        <>
          <th data-tight>State</th>
          <th>Agent</th>
          {!ofPool && <th>Pool</th>}
          <th>Slots</th>
          <th>Machine</th>
          <th>Sealing key</th>
          <th>Version</th>
          <th>Seen</th>
          <th aria-label="Actions" />
        </>
      }
    >
      {agents.map((agent) => (
        <tr key={agent.id}>
          <td data-tight>
            <StateMark look={agentLook(agent)} size="sm" />
          </td>
          <td>
            <strong>{agent.name}</strong>
            {Object.keys(agent.labels).length > 0 && (
              <div>
                <Labels labels={agent.labels} most={4} />
              </div>
            )}
          </td>
          {!ofPool && (
            <td>
              <TextLink to="/o/$org/w/$ws/pools/$name" params={{ ...place, name: agent.pool }}>
                {agent.pool}
              </TextLink>
            </td>
          )}
          <td>
            <Slots agent={agent} />
          </td>
          <td className={classes.machine}>
            {[
              gpuText(agent),
              agent.cpuMillis > 0n ? formatCores(agent.cpuMillis) : "",
              agent.memoryBytes > 0n ? formatBytes(agent.memoryBytes) : "",
            ]
              .filter(Boolean)
              .join(" · ") || "–"}
          </td>
          <td>
            <KeyMark agent={agent} />
          </td>
          <td className="sb-mono">{agent.version || "–"}</td>
          <td>
            <Moment at={agent.seenAt} />
          </td>
          <td data-tight>
            <Revoke agent={agent} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Slots({ agent }: { agent: Agent }) {
  const share = agent.slots === 0 ? 0 : Math.min(100, (100 * agent.leases) / agent.slots);
  return (
    <span className={classes.slots}>
      <span className={classes.bar} aria-hidden="true">
        <span className={classes.fill} style={{ width: `${share}%` }} />
      </span>
      <span className="sb-num">
        {agent.leases}/{agent.slots}
      </span>
    </span>
  );
}

function KeyMark({ agent }: { agent: Agent }) {
  if (agent.state === "revoked") return <span className="sb-dim">–</span>;
  const text = agent.holdsSealingKey
    ? "It opens the workspace's sealed values."
    : "It works only on what needs no sealed value, until the key is imported.";
  return (
    <Tooltip label={text}>
      <span className={classes.key} data-missing={!agent.holdsSealingKey || undefined}>
        <Icon name={agent.holdsSealingKey ? "key" : "warning"} size={14} />
        {agent.holdsSealingKey ? "holds it" : "missing"}
      </span>
    </Tooltip>
  );
}

function Revoke({ agent }: { agent: Agent }) {
  const [asking, setAsking] = useState(false);
  const why = useWhyNot("pools.admin");
  const invalidate = useInvalidate();
  const revoke = useMutation(PoolService.method.revokeAgent, {
    onSuccess: async () => {
      await invalidate(PoolService.method.listAgents, PoolService.method.getPool, PoolService.method.listPools);
      setAsking(false);
    },
  });
  if (agent.state === "revoked") return null;
  return (
    <>
      <Reasoned why={why}>
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          disabled={why !== undefined}
          onClick={() => setAsking(true)}
          aria-label={`Revoke ${agent.name}`}
        >
          Revoke
        </Button>
      </Reasoned>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => revoke.mutate({ id: agent.id })}
        title={`Revoke the agent ${agent.name}?`}
        action="Revoke it"
        busy={revoke.isPending}
        error={revoke.error}
      >
        <p>
          {agent.leases > 0 ? `${plural(agent.leases, "running task")} will be lost here and go elsewhere. ` : ""}
          Its key is refused from its next call on. It cannot come back; a new agent joins with a new token.
        </p>
      </Confirm>
    </>
  );
}
