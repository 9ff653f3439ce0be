import { useMutation } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Command } from "@/components/ui/copy";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { Moment } from "@/components/ui/moment";
import { Reasoned } from "@/components/ui/reasoned";
import { useWhyNot } from "@/features/tenancy/place";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { useInvalidate } from "@/rpc/invalidate";
import classes from "./pool.module.css";

interface JoinCommandProps {
  pool: string;
  /** The pool does not exist yet. */
  createPool?: boolean;
}

/** JoinCommand makes a join token and shows the line that installs an agent with it, once. */
export function JoinCommand({ pool, createPool = false }: JoinCommandProps) {
  const invalidate = useInvalidate();
  const why = useWhyNot("pools.admin");
  const create = useMutation(PoolService.method.createPool);
  const join = useMutation(PoolService.method.createJoinToken);
  const show = async () => {
    if (createPool) {
      await create.mutateAsync({ name: pool });
      await invalidate(PoolService.method.listPools);
    }
    await join.mutateAsync({ pool });
  };
  if (join.data) {
    return (
      <div className={classes.join}>
        <Command command={join.data.command} what="install command" />
        <span className={classes.joinNote}>
          For one agent of the pool <strong>{pool}</strong>. The token in it is shown only now and expires{" "}
          <Moment at={join.data.expiresAt} />.
        </span>
      </div>
    );
  }
  return (
    <div className={classes.join}>
      <span>
        <Reasoned why={why}>
          <Button
            onClick={() => show().catch(() => undefined)}
            disabled={why !== undefined}
            loading={join.isPending || create.isPending}
            leftSection={<Icon name="terminal" size={15} />}
          >
            Show the install command
          </Button>
        </Reasoned>
      </span>
      <FaultNotice error={create.error ?? join.error} />
    </div>
  );
}
