import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, Textarea } from "@mantine/core";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { Section } from "@/components/ui/page";
import { Reasoned } from "@/components/ui/reasoned";
import { useWhyNot } from "@/features/tenancy/place";
import { type Pool, PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { SlotsInput } from "./new-pool";
import classes from "./pool.module.css";

/** PoolSettings pauses a pool with a note, or bounds it. */
export function PoolSettings({ pool }: { pool: Pool }) {
  const [slots, setSlots] = useState<number | "">(pool.slots === 0 ? "" : pool.slots);
  const [note, setNote] = useState("");
  const why = useWhyNot("pools.admin");
  const invalidate = useInvalidate();
  const update = useMutation(PoolService.method.updatePool, {
    onSuccess: () => invalidate(PoolService.method.getPool, PoolService.method.listPools),
  });
  const wanted = slots === "" ? 0 : slots;
  return (
    <Section title="Settings">
      <div className={classes.form}>
        {pool.paused ? (
          <Group>
            <Reasoned why={why}>
              <Button
                disabled={why !== undefined}
                loading={update.isPending}
                leftSection={<Icon name="run" size={15} />}
                onClick={() => update.mutate({ name: pool.name, paused: false, pauseNote: "" })}
              >
                Resume the pool
              </Button>
            </Reasoned>
          </Group>
        ) : (
          <>
            <Textarea
              label="Pause with a note"
              description="Running tasks finish; nothing new starts. Everybody who waits reads the note."
              placeholder="Driver update until 16:00"
              autosize
              minRows={1}
              maxLength={300}
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
            />
            <Group>
              <Reasoned why={why}>
                <Button
                  variant="default"
                  disabled={why !== undefined}
                  loading={update.isPending}
                  leftSection={<Icon name="pause" size={15} />}
                  onClick={() => update.mutate({ name: pool.name, paused: true, pauseNote: note })}
                >
                  Drain and pause the pool
                </Button>
              </Reasoned>
            </Group>
          </>
        )}
        <SlotsInput value={slots} onChange={setSlots} />
        {wanted !== pool.slots && (
          <Group>
            <Reasoned why={why}>
              <Button
                disabled={why !== undefined}
                loading={update.isPending}
                onClick={() => update.mutate({ name: pool.name, slots: wanted })}
              >
                Save
              </Button>
            </Reasoned>
          </Group>
        )}
        <FaultNotice error={update.error} />
      </div>
    </Section>
  );
}
