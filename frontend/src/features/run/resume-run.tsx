import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Button, Checkbox, Group, Modal, Radio, Select, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { ButtonLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { StateMark } from "@/components/ui/state-mark";
import { usePlace } from "@/features/tenancy/place";
import { type KeptTask, type Run, RunService } from "@/gen/signalbox/run/v1/run_pb";
import { useInvalidate } from "@/rpc/invalidate";
import classes from "./items.module.css";
import { taskLook } from "./state";

interface ResumeRunProps {
  run: Run;
  opened: boolean;
  onClose: () => void;
}

/** ResumeRun starts a new run that takes over what need not run again, and shows before what that is. */
export function ResumeRun({ run, opened, onClose }: ResumeRunProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Resume ${run.pipeline} #${run.number} in a new run`} size="lg">
      {opened && <ResumeForm run={run} onClose={onClose} />}
    </Modal>
  );
}

type Scope = "failed" | "task" | "all";

function ResumeForm({ run, onClose }: { run: Run; onClose: () => void }) {
  const [scope, setScope] = useState<Scope>("failed");
  const [task, setTask] = useState<string | null>(null);
  const [version, setVersion] = useState<"newest" | "same">("newest");
  const [trust, setTrust] = useState(false);
  const place = usePlace();
  const navigate = useNavigate();
  const invalidate = useInvalidate();
  const input = {
    runId: run.id,
    version: version === "same" ? run.version : "",
    fromTask: scope === "task" ? (task ?? "") : "",
    trust,
  };
  const preview = useQuery(RunService.method.restartRun, { ...input, dryRun: true }, { retry: false });
  const whole = useQuery(RunService.method.restartRun, { ...input, fromTask: "", dryRun: true }, { retry: false });
  const restart = useMutation(RunService.method.restartRun, {
    onSuccess: async ({ run: made }) => {
      onClose();
      await invalidate(RunService.method.listRuns);
      if (made) void navigate({ to: "/o/$org/w/$ws/runs/$runId", params: { ...place, runId: made.id } });
    },
  });
  return (
    <Stack gap="md">
      <Radio.Group label="Run again" value={scope} onChange={(value) => setScope(value as Scope)}>
        <Stack gap={6} mt={6}>
          <Radio value="failed" label="What failed, or has changed, and all behind it" />
          <Radio value="task" label="From one task on" />
          <Radio value="all" label="Everything" />
        </Stack>
      </Radio.Group>
      {scope === "task" && (
        <Select
          label="From the task"
          placeholder="Choose a task"
          searchable
          data={(whole.data?.tasks ?? []).map((each) => each.task)}
          value={task}
          onChange={setTask}
        />
      )}
      {scope !== "all" && (
        <>
          <Radio.Group label="Version" value={version} onChange={(value) => setVersion(value as typeof version)}>
            <Group gap="lg" mt={6}>
              <Radio value="newest" label="The one deployed now" />
              <Radio value="same" label="The run's own" />
            </Group>
          </Radio.Group>
          <Checkbox
            checked={trust}
            onChange={(event) => setTrust(event.currentTarget.checked)}
            label="Take over tasks although their spec has changed"
          />
          <Loaded query={preview} loading={<Rows count={4} />}>
            {({ tasks }) => <Preview tasks={tasks} />}
          </Loaded>
        </>
      )}
      {restart.error && <FaultNotice error={restart.error} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        {scope === "all" ? (
          <ButtonLink
            to="/o/$org/w/$ws/pipelines/$name"
            params={{ ...place, name: run.pipeline }}
            search={{ start: run.id }}
            leftSection={<Icon name="run" size={15} />}
          >
            Choose the params…
          </ButtonLink>
        ) : (
          <Button
            loading={restart.isPending}
            disabled={!preview.data || (scope === "task" && !task)}
            leftSection={<Icon name="run" size={15} />}
            onClick={() => restart.mutate(input)}
          >
            Start the new run
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** Preview lists what is taken over and what runs, and why. */
function Preview({ tasks }: { tasks: readonly KeptTask[] }) {
  const reused = tasks.filter((task) => task.reused).length;
  return (
    <div>
      <strong className="sb-num">
        {reused} taken over, {tasks.length - reused} to run
      </strong>
      <ul className={classes.plan} aria-label="What would run">
        {tasks.map(({ task, reused: kept, items, reason }) => (
          <li key={task}>
            <StateMark look={kept ? taskLook("reused") : { label: "Runs", tone: "wait", icon: "run" }} size="sm" />
            <span className={classes.name}>{task}</span>
            <span className={classes.why}>
              {[items > 0 ? `${items} items may be taken over` : "", reason].filter(Boolean).join("; ")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
