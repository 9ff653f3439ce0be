import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, Modal, NumberInput, Stack, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { usePlace } from "@/features/tenancy/place";
import { slugProblem } from "@/features/tenancy/slug";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";
import { useInvalidate } from "@/rpc/invalidate";

interface NewPoolProps {
  opened: boolean;
  onClose: () => void;
}

/** NewPool makes a pool and opens it, where its first agent is installed. */
export function NewPool({ opened, onClose }: NewPoolProps) {
  const [name, setName] = useState("");
  const [slots, setSlots] = useState<number | "">("");
  const place = usePlace();
  const navigate = useNavigate();
  const invalidate = useInvalidate();
  const create = useMutation(PoolService.method.createPool, {
    onSuccess: async ({ pool }) => {
      await invalidate(PoolService.method.listPools);
      onClose();
      await navigate({ to: "/o/$org/w/$ws/pools/$name", params: { ...place, name: pool?.name ?? name } });
    },
  });
  const problem = slugProblem(name);
  return (
    <Modal opened={opened} onClose={onClose} title="New pool">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!problem) create.mutate({ name, slots: slots === "" ? 0 : slots });
        }}
      >
        <Stack gap="md">
          <TextInput
            label="Name"
            description="As pipelines will say it: pool: gpu-eu"
            required
            data-autofocus
            value={name}
            error={problem}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <SlotsInput value={slots} onChange={setSlots} />
          <FaultNotice error={create.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending}>
              Create the pool
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** SlotsInput asks for a pool's bound; empty is none. */
export function SlotsInput({ value, onChange }: { value: number | ""; onChange: (value: number | "") => void }) {
  return (
    <NumberInput
      label="Slots at once"
      description="Empty: as many as its agents have."
      min={1}
      max={100_000}
      allowDecimal={false}
      allowNegative={false}
      value={value}
      onChange={(next) => onChange(typeof next === "number" && next > 0 ? next : "")}
    />
  );
}
