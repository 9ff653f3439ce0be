import { useMutation } from "@connectrpc/connect-query";
import { Checkbox } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "@/components/ui/confirm";
import { plural } from "@/format/count";
import { type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { canCancel } from "./state";

interface CancelRunProps {
  run: Run;
  opened: boolean;
  onClose: () => void;
}

/** CancelRun asks before a run is stopped, and whether by force. */
export function CancelRun({ run, opened, onClose }: CancelRunProps) {
  const rule = canCancel(run);
  const mustForce = rule.allowed && rule.force;
  const [asked, setAsked] = useState(false);
  const force = mustForce || asked;
  const invalidate = useInvalidate();
  const cancel = useMutation(RunService.method.cancelRun, {
    onSuccess: async () => {
      onClose();
      await invalidate(RunService.method.getRun, RunService.method.listRuns);
    },
  });
  const open = run.tasksTotal - run.tasksDone;
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      onConfirm={() => cancel.mutate({ id: run.id, force })}
      title={`Cancel ${run.pipeline} #${run.number}?`}
      action={force ? "Cancel by force" : "Cancel the run"}
      busy={cancel.isPending}
      error={cancel.error}
    >
      {mustForce ? (
        <p>
          The run is ending already. Force ends it at once: exit handlers are cut off, and what still runs is no longer
          waited for.
        </p>
      ) : (
        <>
          <p>
            {plural(open, "task")} will not finish. Running steps get a signal and time to stop; then exit handlers run.
            What has succeeded stays, and a retry goes on from there.
          </p>
          <Checkbox
            checked={asked}
            onChange={(event) => setAsked(event.currentTarget.checked)}
            label="By force: wait for nothing, skip exit handlers"
          />
        </>
      )}
    </Confirm>
  );
}
