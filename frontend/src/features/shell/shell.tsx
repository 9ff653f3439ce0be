import { AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { Logo } from "@/components/ui/logo";
import { homeWorkspace } from "@/features/tenancy/last-place";
import { useMembership, usePlace } from "@/features/tenancy/place";
import { Nav } from "./nav";
import { openPalette, Palette } from "./palette";
import { RouteAnnouncer } from "./route-announcer";
import classes from "./shell.module.css";
import { useKeys, useShortcuts } from "./shortcut";
import { ShortcutHelp } from "./shortcut-help";

const NAV_WIDTH = 236;

interface ShellProps {
  children: ReactNode;
}

/** Shell is the frame of every page of an organization. */
export function Shell({ children }: ShellProps) {
  const [menu, { toggle, close }] = useDisclosure();
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure();
  const { pathname } = useLocation();
  // On a phone the menu covers the page, so it makes way once a page was chosen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what closes it.
  useEffect(close, [pathname]);
  useKeys();
  usePlaceShortcuts(openHelp);
  return (
    <AppShell
      header={{ height: { base: 52, sm: 0 } }}
      navbar={{ width: NAV_WIDTH, breakpoint: "sm", collapsed: { mobile: !menu } }}
      classNames={{ navbar: classes.navbar, header: classes.header, main: classes.main }}
    >
      <a href="#content" className="sb-skip">
        Skip to the content
      </a>
      <AppShell.Header hiddenFrom="sm">
        <Group h="100%" px="md" gap="sm">
          <Burger opened={menu} onClick={toggle} size="sm" aria-label={menu ? "Close the menu" : "Open the menu"} />
          <Logo size={24} />
          <strong>Signalbox</strong>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <Nav onHelp={openHelp} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        {children}
      </AppShell.Main>
      <RouteAnnouncer />
      <Palette onHelp={openHelp} />
      <ShortcutHelp opened={help} onClose={closeHelp} />
    </AppShell>
  );
}

/** usePlaceShortcuts makes `g` and a letter lead to the pages of the menu. */
function usePlaceShortcuts(openHelp: () => void): void {
  const navigate = useNavigate();
  const membership = useMembership();
  const { org, ws } = usePlace();
  const params = { org, ws: ws || (homeWorkspace(membership) ?? "") };
  useShortcuts([
    { keys: "?", what: "This help", run: openHelp },
    { keys: "/", what: "Search and commands", run: openPalette },
    { keys: "g o", what: "Go to the overview", run: () => void navigate({ to: "/o/$org/w/$ws", params }) },
    { keys: "g r", what: "Go to runs", run: () => void navigate({ to: "/o/$org/w/$ws/runs", params }) },
    { keys: "g v", what: "Go to approvals", run: () => void navigate({ to: "/o/$org/w/$ws/approvals", params }) },
    { keys: "g p", what: "Go to pipelines", run: () => void navigate({ to: "/o/$org/w/$ws/pipelines", params }) },
    { keys: "g s", what: "Go to schedules", run: () => void navigate({ to: "/o/$org/w/$ws/schedules", params }) },
    { keys: "g a", what: "Go to pools and agents", run: () => void navigate({ to: "/o/$org/w/$ws/pools", params }) },
    { keys: "g u", what: "Go to usage", run: () => void navigate({ to: "/o/$org/usage", params }) },
    { keys: "g m", what: "Go to members", run: () => void navigate({ to: "/o/$org/members", params }) },
  ]);
}
