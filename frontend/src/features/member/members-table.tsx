import { useMutation } from "@connectrpc/connect-query";
import { Button, Select } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { Confirm } from "@/components/ui/confirm";
import { Moment } from "@/components/ui/moment";
import { Reasoned } from "@/components/ui/reasoned";
import { Table } from "@/components/ui/table";
import { useWho } from "@/features/account/who";
import { orgRoles } from "@/features/tenancy/permission";
import { useMembership, useWhyNot } from "@/features/tenancy/place";
import { type Member, MemberService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { faultOf } from "@/rpc/fault";
import { useInvalidate } from "@/rpc/invalidate";
import classes from "./member.module.css";
import { WorkspaceRoles } from "./workspace-roles";

/** MembersTable lists members with their roles, which an administrator changes in place. */
export function MembersTable({ members }: { members: readonly Member[] }) {
  const { user } = useWho();
  return (
    <Table
      label="Members"
      head={
        <>
          <th>Member</th>
          <th>Role in the organization</th>
          <th>Workspaces</th>
          <th>Joined</th>
          <th aria-label="Actions" />
        </>
      }
    >
      {members.map((member) => (
        <tr key={member.userId}>
          <td>
            <strong>{member.name}</strong> {member.userId === user?.id && <span className="sb-dim">(you)</span>}
            <div className={classes.mail}>{member.email}</div>
          </td>
          <td>
            <OrgRole member={member} />
          </td>
          <td>
            <WorkspaceRoles member={member} />
          </td>
          <td>
            <Moment at={member.joinedAt} />
          </td>
          <td data-tight>
            <Remove member={member} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function OrgRole({ member }: { member: Member }) {
  const why = useWhyNot("members.admin");
  const mine = useMembership().role;
  const invalidate = useInvalidate();
  const set = useMutation(MemberService.method.setMemberRole, {
    onSuccess: () => invalidate(MemberService.method.listMembers),
    onError: (error) =>
      notifications.show({ color: "red", title: "The role was not changed", message: faultOf(error).text }),
  });
  if (why) return <span>{member.role}</span>;
  return (
    <Select
      aria-label={`Role of ${member.name}`}
      w={124}
      data={orgRoles.map((role) => ({ value: role, label: role, disabled: role === "owner" && mine !== "owner" }))}
      value={member.role}
      disabled={set.isPending || (member.role === "owner" && mine !== "owner")}
      onChange={(role) => role && role !== member.role && set.mutate({ userId: member.userId, role })}
    />
  );
}

function Remove({ member }: { member: Member }) {
  const [asking, setAsking] = useState(false);
  const why = useWhyNot("members.admin");
  const invalidate = useInvalidate();
  const remove = useMutation(MemberService.method.removeMember, {
    onSuccess: async () => {
      await invalidate(MemberService.method.listMembers);
      setAsking(false);
    },
  });
  return (
    <>
      <Reasoned why={why}>
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          disabled={why !== undefined}
          aria-label={`Remove ${member.name}`}
          onClick={() => setAsking(true)}
        >
          Remove
        </Button>
      </Reasoned>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate({ userId: member.userId })}
        title={`Remove ${member.name}?`}
        action="Remove"
        busy={remove.isPending}
        error={remove.error}
      >
        <p>{member.email} loses every role at once, and the personal tokens die. Runs and pipelines stay.</p>
      </Confirm>
    </>
  );
}
