import { useMutation } from "@connectrpc/connect-query";
import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Icon } from "@/components/ui/icon";
import { Reasoned } from "@/components/ui/reasoned";
import { useWhyNot } from "@/features/tenancy/place";
import { type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { faultOf } from "@/rpc/fault";
import { useInvalidate } from "@/rpc/invalidate";

interface PauseRunProps {
  run: Run;
}

/** PauseRun lets a run hold still and go on; nothing for a run that can do neither. */
export function PauseRun({ run }: PauseRunProps) {
  const why = useWhyNot("runs.write");
  const invalidate = useInvalidate();
  const after = (title: string) => ({
    onSuccess: () => invalidate(RunService.method.getRun, RunService.method.listRuns),
    onError: (error: Error) => notifications.show({ color: "red", title, message: faultOf(error).text }),
  });
  const pause = useMutation(RunService.method.pauseRun, after("Not paused"));
  const resume = useMutation(RunService.method.resumeRun, after("Not resumed"));
  if (run.state === "paused") {
    return (
      <>
        {run.reason !== "suspended" && (
          <Reasoned why={why}>
            <Button
              variant="default"
              disabled={why !== undefined}
              loading={pause.isPending}
              onClick={() => pause.mutate({ id: run.id, suspend: true })}
            >
              Suspend
            </Button>
          </Reasoned>
        )}
        <Reasoned why={why}>
          <Button
            disabled={why !== undefined}
            loading={resume.isPending}
            leftSection={<Icon name="run" size={15} />}
            onClick={() => resume.mutate({ id: run.id })}
          >
            Resume
          </Button>
        </Reasoned>
      </>
    );
  }
  if (run.state !== "running") return null;
  return (
    <Reasoned why={why}>
      <Menu width={320}>
        <Menu.Target>
          <Button
            variant="default"
            disabled={why !== undefined}
            loading={pause.isPending}
            leftSection={<Icon name="pause" size={15} />}
          >
            Pause…
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => pause.mutate({ id: run.id })}>
            Pause
            <div className="sb-dim">Nothing more starts; what runs, runs on.</div>
          </Menu.Item>
          <Menu.Item onClick={() => pause.mutate({ id: run.id, suspend: true })}>
            Suspend
            <div className="sb-dim">Steps are asked to stop too, and start again later. It costs no retries.</div>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Reasoned>
  );
}
