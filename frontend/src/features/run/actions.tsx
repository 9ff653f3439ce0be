import { useMutation } from "@connectrpc/connect-query";
import { ActionIcon, Button, Menu } from "@mantine/core";
import { useClipboard, useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { Icon } from "@/components/ui/icon";
import { ButtonLink } from "@/components/ui/link";
import { Reasoned } from "@/components/ui/reasoned";
import { useShortcuts } from "@/features/shell/shortcut";
import { SignalRun } from "@/features/signal/signal-run";
import { usePlace, useWhyNot } from "@/features/tenancy/place";
import { type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { faultOf } from "@/rpc/fault";
import { useInvalidate } from "@/rpc/invalidate";
import { CancelRun } from "./cancel-run";
import { runCommands } from "./cli";
import { PauseRun } from "./pause-run";
import { ResumeRun } from "./resume-run";
import { canCancel, isTerminal, whyNoRetry } from "./state";

interface RunActionsProps {
  run: Run;
}

/** RunActions is what one may do with a run now; what is off says why. */
export function RunActions({ run }: RunActionsProps) {
  const place = usePlace();
  const why = useWhyNot("runs.write");
  const [canceling, { open, close }] = useDisclosure();
  const [resuming, resume] = useDisclosure();
  const rule = canCancel(run);
  const whyNoCancel = why ?? (rule.allowed ? undefined : rule.why);
  useShortcuts(rule.allowed && !why ? [{ keys: "x", what: "Cancel the run", run: open }] : []);
  return (
    <>
      {isTerminal(run.state) && run.state !== "succeeded" && <Retry run={run} />}
      {isTerminal(run.state) && (
        <Reasoned why={why}>
          <Button
            variant="default"
            disabled={why !== undefined}
            leftSection={<Icon name="skip" size={15} />}
            onClick={resume.open}
          >
            Resume…
          </Button>
        </Reasoned>
      )}
      <SignalRun run={run} />
      <PauseRun run={run} />
      {!isTerminal(run.state) && (
        <Reasoned why={whyNoCancel}>
          <Button
            variant="default"
            disabled={whyNoCancel !== undefined}
            leftSection={<Icon name="stop" size={15} />}
            onClick={open}
          >
            {rule.allowed && rule.force ? "Force…" : "Cancel…"}
          </Button>
        </Reasoned>
      )}
      <Reasoned why={why}>
        <ButtonLink
          to="/o/$org/w/$ws/pipelines/$name"
          params={{ ...place, name: run.pipeline }}
          search={{ start: run.id }}
          disabled={why !== undefined}
          variant="default"
          leftSection={<Icon name="run" size={15} />}
        >
          Run again
        </ButtonLink>
      </Reasoned>
      <CopyMenu run={run} />
      <CancelRun run={run} opened={canceling} onClose={close} />
      <ResumeRun run={run} opened={resuming} onClose={resume.close} />
    </>
  );
}

function Retry({ run }: RunActionsProps) {
  const invalidate = useInvalidate();
  const permission = useWhyNot("runs.write");
  const why = permission ?? whyNoRetry(run);
  const retry = useMutation(RunService.method.retryRun, {
    onSuccess: () => invalidate(RunService.method.getRun, RunService.method.listRuns, RunService.method.getRunValues),
    onError: (error) => notifications.show({ color: "red", title: "Not retried", message: faultOf(error).text }),
  });
  return (
    <Reasoned why={why}>
      <Button
        variant={run.state === "failed" ? "filled" : "default"}
        disabled={why !== undefined}
        loading={retry.isPending}
        leftSection={<Icon name="retry" size={15} />}
        onClick={() => retry.mutate({ id: run.id })}
      >
        Retry what failed
      </Button>
    </Reasoned>
  );
}

function CopyMenu({ run }: RunActionsProps) {
  const { copy } = useClipboard();
  const put = (what: string, text: string) => {
    copy(text);
    notifications.show({ message: `Copied: ${what}` });
  };
  return (
    <Menu width={330}>
      <Menu.Target>
        <ActionIcon variant="default" size={34} aria-label="Copy as a command, or as a link">
          <Icon name="terminal" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Copy as a command</Menu.Label>
        {runCommands(run.id).map(({ what, command }) => (
          <Menu.Item key={command} onClick={() => put("command", command)}>
            {what}
            <div className="sb-mono sb-dim" style={{ fontSize: 11, overflowWrap: "anywhere" }}>
              {command}
            </div>
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<Icon name="link" size={15} />}
          onClick={() => put("link to this view", window.location.href)}
        >
          Copy the link to this view
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
