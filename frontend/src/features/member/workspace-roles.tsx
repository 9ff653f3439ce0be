import { useMutation, useQuery } from "@connectrpc/connect-query";
import { ActionIcon, Checkbox, Popover, Select, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useRouter } from "@tanstack/react-router";
import { Icon } from "@/components/ui/icon";
import { workspaceRoles } from "@/features/tenancy/permission";
import { usePlace, useWhyNot } from "@/features/tenancy/place";
import {
  type Member,
  MemberService,
  OrganizationService,
  type Workspace,
} from "@/gen/signalbox/tenancy/v1/organization_pb";
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
        member.workspaceRoles.map(({ workspaceId, workspaceSlug, role, dataRead }) => (
          <span key={workspaceId} className={classes.role}>
            <span className="sb-dim">{workspaceSlug}</span> {role}
            {role === "viewer" && dataRead && " + data"}
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

function Grants({ member }: { member: Member }) {
  const { data } = useQuery(OrganizationService.method.listWorkspaces, {});
  return (
    <Stack gap="xs">
      {(data?.workspaces ?? []).map((workspace) => (
        <Grant key={workspace.id} member={member} workspace={workspace} />
      ))}
    </Stack>
  );
}

const none = "none";

function Grant({ member, workspace }: { member: Member; workspace: Workspace }) {
  const { org } = usePlace();
  const { transports } = useRouter().options.context;
  const invalidate = useInvalidate();
  const set = useMutation(MemberService.method.setWorkspaceRole, {
    // The workspace is that of the call's place.
    transport: transports.at({ org, ws: workspace.slug }),
    onSuccess: () => invalidate(MemberService.method.listMembers),
    onError: (error) =>
      notifications.show({ color: "red", title: "The role was not changed", message: faultOf(error).text }),
  });
  const now = member.workspaceRoles.find(({ workspaceId }) => workspaceId === workspace.id);
  return (
    <div>
      <Select
        label={workspace.name}
        data={[none, ...workspaceRoles]}
        value={now?.role ?? none}
        disabled={set.isPending}
        comboboxProps={{ withinPortal: false }}
        onChange={(role) => set.mutate({ userId: member.userId, role: role === none || !role ? "" : role })}
      />
      {now?.role === "viewer" && (
        <Checkbox
          mt={6}
          size="xs"
          label="may open logs and values"
          checked={now.dataRead}
          disabled={set.isPending}
          onChange={(event) =>
            set.mutate({ userId: member.userId, role: "viewer", dataRead: event.currentTarget.checked })
          }
        />
      )}
    </div>
  );
}
