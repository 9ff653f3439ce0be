import { ActionIcon, Kbd, ScrollArea, Tooltip, UnstyledButton } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithRef } from "react";
import { Icon, type IconName } from "@/components/ui/icon";
import { homeWorkspace } from "@/features/tenancy/last-place";
import { mayInOrg } from "@/features/tenancy/permission";
import { useMembership, usePlace } from "@/features/tenancy/place";
import { openPalette } from "./palette";
import { PlaceSwitch } from "./place-switch";
import classes from "./shell.module.css";
import { mod } from "./shortcut-help";
import { UserMenu } from "./user-menu";

interface NavProps {
  onHelp: () => void;
}

/** Nav is the menu of an organization and the workspace that is open. */
export function Nav({ onHelp }: NavProps) {
  const membership = useMembership();
  const place = usePlace();
  const ws = place.ws || homeWorkspace(membership);
  const params = { org: place.org, ws: ws ?? "" };
  return (
    <>
      <PlaceSwitch />
      <UnstyledButton className={classes.search} onClick={openPalette}>
        <Icon name="search" size={14} />
        <span>Search</span>
        <Kbd size="xs" className={classes.searchKey}>
          {mod} K
        </Kbd>
      </UnstyledButton>
      <ScrollArea className={classes.links} type="never">
        <nav aria-label="Main">
          {ws && (
            <ul className={classes.list}>
              <Entry icon="overview" to="/o/$org/w/$ws" params={params} activeOptions={{ exact: true }}>
                Overview
              </Entry>
              <Entry icon="run" to="/o/$org/w/$ws/runs" params={params}>
                Runs
              </Entry>
              <Entry icon="circleCheck" to="/o/$org/w/$ws/approvals" params={params}>
                Approvals
              </Entry>
              <Entry icon="pipeline" to="/o/$org/w/$ws/pipelines" params={params}>
                Pipelines
              </Entry>
              <Entry icon="clock" to="/o/$org/w/$ws/schedules" params={params}>
                Schedules
              </Entry>
              <Entry icon="pool" to="/o/$org/w/$ws/pools" params={params}>
                Pools & agents
              </Entry>
            </ul>
          )}
          <h2 className={classes.group}>Organization</h2>
          <ul className={classes.list}>
            {mayInOrg(membership, "billing.read") && (
              <Entry icon="usage" to="/o/$org/usage" params={params}>
                Usage
              </Entry>
            )}
            <Entry icon="members" to="/o/$org/members" params={params}>
              Members
            </Entry>
            {mayInOrg(membership, "keys.admin") && (
              <Entry icon="key" to="/o/$org/keys" params={params}>
                API keys
              </Entry>
            )}
            {mayInOrg(membership, "audit.read") && (
              <Entry icon="audit" to="/o/$org/audit" params={params}>
                Audit log
              </Entry>
            )}
          </ul>
        </nav>
      </ScrollArea>
      <div className={classes.foot}>
        <UserMenu />
        <Tooltip label="Keyboard shortcuts">
          <ActionIcon onClick={onHelp} aria-label="Keyboard shortcuts" size="lg">
            <Icon name="keyboard" size={18} />
          </ActionIcon>
        </Tooltip>
      </div>
    </>
  );
}

interface EntryProps extends ComponentPropsWithRef<"a"> {
  icon: IconName;
}

const EntryLink = createLink(({ icon, children, ...props }: EntryProps) => (
  <a {...props} className={classes.link}>
    <Icon name={icon} size={17} />
    {children}
  </a>
));

/** Entry is a page in the menu, marked while one is there. */
const Entry: typeof EntryLink = ((props: ComponentPropsWithRef<typeof EntryLink>) => (
  <li>
    <EntryLink {...props} activeProps={{ "data-active": true, "aria-current": "page" }} />
  </li>
)) as typeof EntryLink;
