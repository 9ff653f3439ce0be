import { Menu, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { Icon } from "@/components/ui/icon";
import { useWho } from "@/features/account/who";
import { homeWorkspace } from "@/features/tenancy/last-place";
import { NewWorkspace } from "@/features/tenancy/new-workspace";
import { mayInOrg } from "@/features/tenancy/permission";
import { findWorkspace, useMembership, usePlace } from "@/features/tenancy/place";
import classes from "./shell.module.css";

/** PlaceSwitch shows where one is, and leads to other workspaces and organizations. */
export function PlaceSwitch() {
  const { memberships } = useWho();
  const membership = useMembership();
  const { org, ws } = usePlace();
  const navigate = useNavigate();
  const [making, { open, close }] = useDisclosure();
  const here = findWorkspace(membership, ws || (homeWorkspace(membership) ?? ""))?.workspace;
  const others = memberships.filter(({ organization }) => organization?.slug !== org);
  return (
    <>
      <Menu width={264} position="bottom-start" withinPortal>
        <Menu.Target>
          <UnstyledButton className={classes.place}>
            <span className={classes.tile} aria-hidden="true">
              {membership.organization?.name.charAt(0).toUpperCase()}
            </span>
            <span className={classes.placeText}>
              <strong>{membership.organization?.name}</strong>
              <span>{here?.name ?? "no workspace"}</span>
            </span>
            <span className="sb-hidden">, switch workspace or organization</span>
            <Icon name="selector" size={15} />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Workspaces</Menu.Label>
          {membership.workspaces.map(({ workspace }) => (
            <Menu.Item
              key={workspace?.id}
              leftSection={<Icon name={workspace?.slug === here?.slug ? "check" : "building"} size={15} />}
              onClick={() => navigate({ to: "/o/$org/w/$ws", params: { org, ws: workspace?.slug ?? "" } })}
            >
              {workspace?.name}
            </Menu.Item>
          ))}
          {mayInOrg(membership, "ws.admin") && (
            <Menu.Item leftSection={<Icon name="plus" size={15} />} onClick={open}>
              New workspace…
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Label>Organizations</Menu.Label>
          {others.map(({ organization }) => (
            <Menu.Item
              key={organization?.id}
              leftSection={<Icon name="globe" size={15} />}
              onClick={() => navigate({ to: "/o/$org", params: { org: organization?.slug ?? "" } })}
            >
              {organization?.name}
            </Menu.Item>
          ))}
          <Menu.Item leftSection={<Icon name="plus" size={15} />} onClick={() => navigate({ to: "/new" })}>
            New organization…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <NewWorkspace opened={making} onClose={close} />
    </>
  );
}
