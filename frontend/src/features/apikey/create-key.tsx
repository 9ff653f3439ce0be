import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { Command } from "@/components/ui/copy";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Notice } from "@/components/ui/notice";
import { orgRoles, roleNotes, workspaceRoles } from "@/features/tenancy/permission";
import { useMembership } from "@/features/tenancy/place";
import { KeyService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { useInvalidate } from "@/rpc/invalidate";

const wholeOrganization = "organization";
const lives = [7, 30, 90, 180, 365];

interface CreateKeyProps {
  opened: boolean;
  onClose: () => void;
}

/** CreateKey makes a key and shows its secret, once. */
export function CreateKey({ opened, onClose }: CreateKeyProps) {
  const invalidate = useInvalidate();
  const create = useMutation(KeyService.method.createKey, { onSuccess: () => invalidate(KeyService.method.listKeys) });
  const close = () => {
    onClose();
    create.reset();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={create.data ? `The key ${create.data.key?.name}` : "New key"}
      closeOnClickOutside={!create.data}
    >
      {create.data ? (
        <Stack gap="md">
          <Notice tone="wait" icon="key">
            Copy it now. We keep only its hash, so nobody can show it again.
          </Notice>
          <Command command={create.data.secret} what="key" prompt={false} />
          <Group justify="flex-end">
            <Button onClick={close}>I have it</Button>
          </Group>
        </Stack>
      ) : (
        <KeyForm busy={create.isPending} error={create.error} onCreate={create.mutate} onClose={close} />
      )}
    </Modal>
  );
}

interface KeyFormProps {
  busy: boolean;
  error: unknown;
  onCreate: (input: { name: string; workspaceId: string; role: string; days: number }) => void;
  onClose: () => void;
}

function KeyForm({ busy, error, onCreate, onClose }: KeyFormProps) {
  const { workspaces } = useMembership();
  const [name, setName] = useState("");
  const [scope, setScope] = useState(workspaces[0]?.workspace?.id ?? wholeOrganization);
  const [days, setDays] = useState("90");
  const roles: readonly string[] =
    scope === wholeOrganization ? orgRoles.filter((each) => each !== "owner") : workspaceRoles;
  const [picked, setPicked] = useState("developer");
  const role = roles.includes(picked) ? picked : (roles[0] ?? "");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onCreate({ name, workspaceId: scope === wholeOrganization ? "" : scope, role, days: Number(days) });
      }}
    >
      <Stack gap="md">
        <TextInput
          label="Name"
          description="Who will use it: github-actions, grafana."
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="Opens"
          data={[
            ...workspaces.map(({ workspace }) => ({
              value: workspace?.id ?? "",
              label: `The workspace ${workspace?.name}`,
            })),
            { value: wholeOrganization, label: "The whole organization" },
          ]}
          value={scope}
          onChange={(next) => setScope(next ?? wholeOrganization)}
        />
        <Select
          label="Role"
          description={roleNotes[role]}
          data={[...roles]}
          value={role}
          onChange={(next) => setPicked(next ?? "")}
        />
        <Select
          label="Expires after"
          data={lives.map((each) => ({ value: String(each), label: `${each} days` }))}
          value={days}
          onChange={(next) => setDays(next ?? "90")}
        />
        <FaultNotice error={error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Create the key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
