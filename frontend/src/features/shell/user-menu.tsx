import { useMutation } from "@connectrpc/connect-query";
import { type MantineColorScheme, Menu, SegmentedControl, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { Icon } from "@/components/ui/icon";
import { setZone, useZone } from "@/components/ui/zone";
import { useWho } from "@/features/account/who";
import type { Zone } from "@/format/time";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import classes from "./shell.module.css";

const schemes: { value: MantineColorScheme; label: string }[] = [
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
  { value: "auto", label: "System" },
];
const zones: { value: Zone; label: string }[] = [
  { value: "local", label: "Local" },
  { value: "utc", label: "UTC" },
];

/** UserMenu is about the reader: his account, how things look, the way out. */
export function UserMenu() {
  const { user } = useWho();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const zone = useZone();
  const router = useRouter();
  const signOut = useMutation(AccountService.method.signOut, {
    onSuccess: () => {
      router.options.context.queryClient.clear();
      return router.navigate({ to: "/sign-in" });
    },
  });
  return (
    <Menu position="top-start" width={252}>
      <Menu.Target>
        <UnstyledButton className={classes.user}>
          <span className={classes.avatar} aria-hidden="true">
            {initials(user?.name || user?.email || "?")}
          </span>
          <span className={classes.userName}>{user?.name || user?.email}</span>
          <span className="sb-hidden">, account and appearance</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{user?.email}</Menu.Label>
        <Menu.Item leftSection={<Icon name="user" size={15} />} onClick={() => router.navigate({ to: "/account" })}>
          Account
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Theme</Menu.Label>
        <div className={classes.choice}>
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label="Theme"
            data={schemes}
            value={colorScheme}
            onChange={(value) => setColorScheme(value as MantineColorScheme)}
          />
        </div>
        <Menu.Label>Times</Menu.Label>
        <div className={classes.choice}>
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label="Times"
            data={zones}
            value={zone}
            onChange={(value) => setZone(value as Zone)}
          />
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="signOut" size={15} />} onClick={() => signOut.mutate({})}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "") + (words[1]?.[0] ?? "")).toUpperCase();
}
