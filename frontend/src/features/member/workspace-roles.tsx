import { useMutation, useQuery } from "@connectrpc/connect-query";
import { ActionIcon, Popover, Select, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Icon } from "@/components/ui/icon";
import { workspaceRoles } from "@/features/tenancy/permission";
import { useWhyNot } from "@/features/tenancy/place";
import { type Member, MemberService, OrganizationService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { faultOf } from "@/rpc/fault";
import { useInvalidate } from "@/rpc/invalidate";
import classes from "./member.module.css";

/** WorkspaceRoles shows what a member may do where, and lets an administrator change it. */
export function WorkspaceRoles({ member }: { member: Member }) {
  const why = useWhyNot("members.admin");
  const everywhere = member.role === "owner" || member.role === "admin";
  return (
    <span className={classes.roles}>
      {everywhere ? (
        <span className="sb-dim">all, as {member.role}</span>
      ) : (
        member.workspaceRoles.map(({ workspaceId, workspaceSlug, role }) => (
          <span key={workspaceId} className={classes.role}>
            <span className="sb-dim">{workspaceSlug}</span> {role}
          </span>
        ))
      )}
      {!everywhere && member.workspaceRoles.length === 0 && <span className="sb-dim">none</span>}
      {!everywhere && !why && (
        <Popover position="bottom-end" shadow="md" trapFocus withArrow>
          <Popover.Target>
            <ActionIcon size="sm" aria-label={`Change the workspace roles of ${member.name}`}>
              <Icon name="plus" size={14} />
            </ActionIcon>
          </Popover.Target>
          <Popover.Dropdown>
            <Grants member={member} />
          </Popover.Dropdown>
        </Popover>
      )}
    </span>
  );
}

const none = "none";

function Grants({ member }: { member: Member }) {
  const { data } = useQuery(OrganizationService.method.listWorkspaces, {});
  const invalidate = useInvalidate();
  const set = useMutation(MemberService.method.setWorkspaceRole, {
    onSuccess: () => invalidate(MemberService.method.listMembers),
    onError: (error) =>
      notifications.show({ color: "red", title: "The role was not changed", message: faultOf(error).text }),
  });
  return (
    <Stack gap="xs">
      {(data?.workspaces ?? []).map((workspace) => (
        <Select
          key={workspace.id}
          label={workspace.name}
          data={[none, ...workspaceRoles]}
          value={member.workspaceRoles.find(({ workspaceId }) => workspaceId === workspace.id)?.role ?? none}
          disabled={set.isPending}
          comboboxProps={{ withinPortal: false }}
          onChange={(role) =>
            set.mutate({ userId: member.userId, workspaceId: workspace.id, role: role === none || !role ? "" : role })
          }
        />
      ))}
    </Stack>
  );
}
