import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { useForgetWho } from "@/features/account/who";
import { OrganizationService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { usePlace } from "./place";
import { slugOf, slugProblem } from "./slug";

interface NewWorkspaceProps {
  opened: boolean;
  onClose: () => void;
}

/** NewWorkspace asks for a name and makes a workspace of this organization. */
export function NewWorkspace({ opened, onClose }: NewWorkspaceProps) {
  const [name, setName] = useState("");
  const [typedSlug, setTypedSlug] = useState<string>();
  const slug = typedSlug ?? slugOf(name);
  const { org } = usePlace();
  const navigate = useNavigate();
  const router = useRouter();
  const forgetWho = useForgetWho();
  const create = useMutation(OrganizationService.method.createWorkspace, {
    transport: router.options.context.transports.at({ org }),
    onSuccess: async ({ workspace }) => {
      await forgetWho();
      onClose();
      setName("");
      setTypedSlug(undefined);
      await navigate({ to: "/o/$org/w/$ws", params: { org, ws: workspace?.slug ?? "" } });
    },
  });
  const problem = slugProblem(slug);
  return (
    <Modal opened={opened} onClose={onClose} title="New workspace">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!problem) create.mutate({ name, slug });
        }}
      >
        <Stack gap="md">
          <TextInput
            label="Name"
            description="A part of the organization with pipelines, pools and roles of its own, such as production."
            required
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label="Name in URLs"
            value={slug}
            error={problem}
            onChange={(event) => setTypedSlug(event.currentTarget.value)}
          />
          <FaultNotice error={create.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending}>
              Create the workspace
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
