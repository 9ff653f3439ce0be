import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { Command } from "@/components/ui/copy";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Notice } from "@/components/ui/notice";
import { orgRoles, roleNotes, workspaceRoles } from "@/features/tenancy/permission";
import { useMembership } from "@/features/tenancy/place";
import { MemberService, OrganizationService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { useInvalidate } from "@/rpc/invalidate";

interface InviteMemberProps {
  opened: boolean;
  onClose: () => void;
}

/** InviteMember mails an invitation, and shows its link once. */
export function InviteMember({ opened, onClose }: InviteMemberProps) {
  const invalidate = useInvalidate();
  const invite = useMutation(MemberService.method.inviteMember, {
    onSuccess: () => invalidate(MemberService.method.listInvitations),
  });
  const close = () => {
    onClose();
    invite.reset();
  };
  return (
    <Modal opened={opened} onClose={close} title={invite.data ? "Invited" : "Invite somebody"} size="lg">
      {invite.data ? (
        <Stack gap="md">
          <Notice tone="good" icon="mail">
            We sent the link to {invite.data.invitation?.email}. It works for seven days and only for that address.
          </Notice>
          <span className="sb-dim">To hand it over yourself; it is shown only now:</span>
          <Command command={invite.data.link} what="invitation link" prompt={false} />
          <Group justify="flex-end">
            <Button onClick={close} data-autofocus>
              Done
            </Button>
          </Group>
        </Stack>
      ) : (
        <InviteForm busy={invite.isPending} error={invite.error} onInvite={invite.mutate} onClose={close} />
      )}
    </Modal>
  );
}

interface InviteFormProps {
  busy: boolean;
  error: unknown;
  onInvite: (input: { email: string; role: string; workspaceId: string; workspaceRole: string }) => void;
  onClose: () => void;
}

function InviteForm({ busy, error, onInvite, onClose }: InviteFormProps) {
  const mine = useMembership().role;
  const { data } = useQuery(OrganizationService.method.listWorkspaces, {});
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("member");
  const [workspaceId, setWorkspaceId] = useState("");
  const [workspaceRole, setWorkspaceRole] = useState("developer");
  const workspaces = data?.workspaces ?? [];
  const chosen = workspaceId || (workspaces[0]?.id ?? "");
  const granted = role === "member" || role === "billing";
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onInvite({ email, role, workspaceId: granted ? chosen : "", workspaceRole: granted ? workspaceRole : "" });
      }}
    >
      <Stack gap="md">
        <TextInput
          label="E-mail"
          type="email"
          required
          data-autofocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Select
          label="Role in the organization"
          description={roleNotes[role]}
          data={orgRoles.filter((each) => each !== "owner" || mine === "owner")}
          value={role}
          onChange={(next) => setRole(next ?? "member")}
        />
        {granted && (
          <Group grow align="flex-start">
            <Select
              label="Workspace"
              data={workspaces.map(({ id, name }) => ({ value: id, label: name }))}
              value={chosen}
              onChange={(next) => setWorkspaceId(next ?? "")}
            />
            <Select
              label="Role in it"
              description={roleNotes[workspaceRole]}
              inputWrapperOrder={["label", "input", "description", "error"]}
              data={workspaceRoles}
              value={workspaceRole}
              onChange={(next) => setWorkspaceRole(next ?? "developer")}
            />
          </Group>
        )}
        <FaultNotice error={error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Send the invitation
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
